"""A vault's soft-deleted secrets: for how long their names are taken, recovery and purge."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.clock import Clock
from .errors import being_deleted, deleted_but_recoverable, not_found
from .model import Deleted, Secret


@dataclass
class DeletedSecrets:
    """Deleted secrets by name, in lower case, until they are recovered, purged or expired."""

    clock: Clock
    by_name: dict[str, Deleted] = field(default_factory=dict)

    def add(self, deleted: Deleted) -> None:
        self.by_name[deleted.secret.name.lower()] = deleted
        self.clock.schedule(deleted.purge_at, lambda: self._expire(deleted))

    def _expire(self, deleted: Deleted) -> None:
        """Drop the secret for good, unless it was recovered or purged before."""
        if self.by_name.get(deleted.secret.name.lower()) is deleted:
            self.remove(deleted.secret.name)

    def remove(self, name: str) -> Secret:
        return self.by_name.pop(name.lower()).secret

    def find(self, name: str) -> Deleted:
        """Return a deleted secret. Raises KeyVaultError while its deletion is not complete."""
        found = self.by_name.get(name.lower())
        if found is None or found.ready > self.clock.now():
            raise not_found(name, "deleted ")
        return found

    def names(self) -> list[str]:
        """Return the names whose deletion is complete, sorted."""
        now = self.clock.now()
        return sorted(name for name, deleted in self.by_name.items() if deleted.ready <= now)

    def check_free(self, name: str) -> None:
        """Raise KeyVaultError if a deleted secret still has this name."""
        deleted = self.by_name.get(name.lower())
        if deleted is None:
            return
        if deleted.ready > self.clock.now():
            raise being_deleted()
        raise deleted_but_recoverable(name)
