"""A vault: its state and its rules, no protocol."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...core.clock import Clock
from ...core.throttle import Throttle
from ..eventgrid.system_topic import SystemTopic
from .events import VaultEvents
from .model import Backup, Deleted, Refused, Secret, Version

__all__ = ["Refused", "Vault"]

CREATES, OTHERS = 300, 4000
MAX_BACKUP = 500


@dataclass
class Vault:
    """One vault. ``open`` is its firewall; ``public_network`` false closes it altogether.

    ``policies`` are the older access policies, permissions by object id, in place of roles.
    ``stale_for`` makes reads show the versions of that long ago. ``assignments`` are those of
    Azure Policy, which are shown and not enforced.
    """

    name: str
    subscription: str
    resource_group: str
    clock: Clock
    random: random.Random
    changed: Callable[[str, Any], None]
    suffix: str = "vault.azure.net"
    location: str = "westeurope"
    open: bool = True
    public_network: bool = True
    policies: Mapping[str, frozenset[str]] | None = None
    assignments: list[Mapping[str, Any]] = field(default_factory=list)
    retention_days: int = 90
    purge_protection: bool = False
    deletion_delay: timedelta = timedelta()
    stale_for: timedelta = timedelta()
    secrets: dict[str, Secret] = field(default_factory=dict)
    deleted: dict[str, Deleted] = field(default_factory=dict)
    creates: Throttle = field(default_factory=lambda: Throttle(CREATES))
    others: Throttle = field(default_factory=lambda: Throttle(OTHERS))
    backups: dict[str, Backup] = field(default_factory=dict)
    topic: SystemTopic = field(init=False)
    events: VaultEvents = field(init=False)

    def __post_init__(self) -> None:
        self.topic = SystemTopic(self.clock, self.random, self.id)
        self.events = VaultEvents(self.clock, self.topic, self.name, self.url)

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.KeyVault/vaults/{self.name}"
        )

    @property
    def host(self) -> str:
        return f"{self.name.lower()}.{self.suffix}"

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    @property
    def recovery_level(self) -> str:
        return "Recoverable" if self.purge_protection else "Recoverable+Purgeable"

    def secret(self, name: str) -> Secret:
        found = self.secrets.get(name.lower())
        if found is None:
            raise _not_found(name)
        return found

    def version(self, name: str, version: str) -> tuple[Secret, Version]:
        """A named version, or the current one for an empty name."""
        secret = self.secret(name)
        return secret, self._pick(secret.versions, name, version)

    def shown_version(self, name: str, version: str) -> tuple[Secret, Version]:
        """As ``version``, for a read, which may be stale."""
        secret = self.secret(name)
        return secret, self._pick(self.shown_versions(secret), name, version)

    def shown_versions(self, secret: Secret) -> list[Version]:
        """What a read shows."""
        if not self.stale_for:
            return secret.versions
        return secret.as_of(self.clock.now() - self.stale_for)

    def _pick(self, versions: list[Version], name: str, version: str) -> Version:
        if not version:
            return versions[-1]
        found = next((v for v in versions if v.id == version.lower()), None)
        if found is None:
            raise _not_found(f"{name}/{version}")
        return found

    def set(self, name: str, version: Version) -> tuple[Secret, Version]:
        """A new version, which becomes the current one."""
        self.check_free(name)
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        secret.versions.append(version)
        self.changed("secret.set", (self, secret, version))
        self.events.version_created(secret.name, version)
        self._schedule_expiry(secret, version)
        return secret, version

    def update(self, secret: Secret, version: Version, changes: Mapping[str, Any]) -> None:
        """Set members of a version. Events of the old expiry are called off."""
        moved = changes.get("exp", version.exp) != version.exp
        for member, value in changes.items():
            setattr(version, member, value)
        version.updated = self.clock.now()
        self.changed("secret.updated", (self, secret, version))
        if moved:
            self._schedule_expiry(secret, version, moved=True)

    def check_free(self, name: str) -> None:
        deleted = self.deleted.get(name.lower())
        if deleted is None:
            return
        if deleted.ready > self.clock.now():
            text = "Secret is currently being deleted."
            raise Refused(409, "Conflict", text, "ObjectIsBeingDeleted")
        text = (
            f"Secret {name} is currently in a deleted but recoverable state, and its name cannot "
            "be reused; in this state, the secret can only be recovered or purged."
        )
        raise Refused(409, "Conflict", text, "ObjectIsDeletedButRecoverable")

    def delete(self, name: str) -> Deleted:
        """All versions vanish together, and come back together."""
        secret, now = self.secret(name), self.clock.now()
        ready = now + self.deletion_delay
        deleted = Deleted(secret, now, ready, now + timedelta(days=self.retention_days))
        del self.secrets[name.lower()]
        self.deleted[name.lower()] = deleted
        self.clock.schedule(deleted.purge_at, lambda: self._expire(deleted))
        self.changed("secret.deleted", (self, secret))
        return deleted

    def _expire(self, deleted: Deleted) -> None:
        """The retention is over: gone for good, unless it was recovered or purged before."""
        if self.deleted.get(deleted.secret.name.lower()) is deleted:
            del self.deleted[deleted.secret.name.lower()]

    def find_deleted(self, name: str) -> Deleted:
        found = self.deleted.get(name.lower())
        if found is None or found.ready > self.clock.now():
            raise _not_found(name, "deleted ")
        return found

    def recover(self, name: str) -> Secret:
        secret = self.find_deleted(name).secret
        del self.deleted[name.lower()]
        self.secrets[name.lower()] = secret
        self.changed("secret.recovered", (self, secret))
        return secret

    def purge(self, name: str) -> None:
        self.find_deleted(name)
        if self.purge_protection:
            raise Refused(403, "Forbidden", "Operation purge is not allowed: purge protection.")
        del self.deleted[name.lower()]

    def backup(self, name: str) -> str:
        """An opaque text that stands for all versions."""
        secret = self.secret(name)
        if len(secret.versions) > MAX_BACKUP:
            text = f"A secret with more than {MAX_BACKUP} versions has no backup."
            raise Refused(400, "BadParameter", text)
        token = f"{self.random.getrandbits(256):064x}"
        self.backups[token] = Backup(self.subscription.lower(), secret.copy())
        return token

    def restore(self, token: str) -> Secret:
        """All versions of a backup, with their ids; only where the name is free."""
        backup = self.backups.get(token)
        if backup is None or backup.subscription != self.subscription.lower():
            raise Refused(400, "BadParameter", "The backup is not valid.")
        secret = backup.secret.copy()
        self.check_free(secret.name)
        if secret.name.lower() in self.secrets:
            raise Refused(409, "Conflict", f"A secret named {secret.name} already exists.")
        self.secrets[secret.name.lower()] = secret
        self.changed("secret.restored", (self, secret))
        return secret

    def new_version_id(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _schedule_expiry(self, secret: Secret, version: Version, *, moved: bool = False) -> None:
        """Events of the expiry that the version has now, for as long as it is the current one."""
        exp = version.exp

        def applies() -> bool:
            found = self.secrets.get(secret.name.lower())
            return found is not None and found.current is version and version.exp == exp

        self.events.schedule_expiry(secret.name, version, applies, moved=moved)


def _not_found(name: str, what: str = "") -> Refused:
    text = f"A {what}secret with (name/id) {name} was not found in this key vault."
    return Refused(404, "SecretNotFound", text)
