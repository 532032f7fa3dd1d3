"""A vault: its state and its rules, no protocol."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...core.clock import Clock
from ...core.rate_limits import Throttle
from ..eventgrid.system_topic import SystemTopic
from .backups import Backups
from .errors import conflict, forbidden, not_found
from .events import VaultEvents
from .model import Deleted, Secret, Version
from .soft_delete import DeletedSecrets

CREATES, OTHERS = 300, 4000
LEAST_DAYS, MOST_DAYS = 7, 90


@dataclass
class Vault:
    """One vault. ``open`` false is a firewall without exceptions.

    ``policies`` are the older access policies, permissions by object id, in place of roles.
    ``stale_for`` makes reads show the versions of that long ago. ``assignments`` are assignments
    of Azure Policy; those of ``policies`` that deny are enforced.
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
    retention_days: int = MOST_DAYS
    purge_protection: bool = False
    deletion_delay: timedelta = timedelta()
    stale_for: timedelta = timedelta()
    secrets: dict[str, Secret] = field(default_factory=dict)
    deleted: DeletedSecrets = field(init=False)
    creates: Throttle = field(default_factory=lambda: Throttle(CREATES))
    others: Throttle = field(default_factory=lambda: Throttle(OTHERS))
    backups: Backups = field(default_factory=Backups)
    topic: SystemTopic = field(init=False)
    events: VaultEvents = field(init=False)

    def __post_init__(self) -> None:
        if not LEAST_DAYS <= self.retention_days <= MOST_DAYS:
            raise ValueError(f"retention_days is {LEAST_DAYS} to {MOST_DAYS}")
        self.deleted = DeletedSecrets(self.clock)
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
        level = "Recoverable" if self.retention_days == MOST_DAYS else "CustomizedRecoverable"
        return level if self.purge_protection else f"{level}+Purgeable"

    def secret(self, name: str) -> Secret:
        found = self.secrets.get(name.lower())
        if found is None:
            raise not_found(name)
        return found

    def version(self, name: str, version: str) -> tuple[Secret, Version]:
        """Return a secret and one of its versions; an empty version id means the current one."""
        secret = self.secret(name)
        return secret, self._pick(secret.versions, name, version)

    def shown_version(self, name: str, version: str) -> tuple[Secret, Version]:
        """Return the same for a read, which may be stale."""
        secret = self.secret(name)
        return secret, self._pick(self.shown_versions(secret), name, version)

    def shown_versions(self, secret: Secret) -> list[Version]:
        """Return the versions that a read shows."""
        if not self.stale_for:
            return secret.versions
        return secret.as_of(self.clock.now() - self.stale_for)

    def _pick(self, versions: list[Version], name: str, version: str) -> Version:
        if not version:
            return versions[-1]
        found = next((v for v in versions if v.id == version.lower()), None)
        if found is None:
            raise not_found(f"{name}/{version}")
        return found

    def set(self, name: str, version: Version) -> tuple[Secret, Version]:
        """Add a version, which becomes the current one."""
        self.deleted.check_free(name)
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        secret.versions.append(version)
        self.changed("secret.set", (self, secret, version))
        self.events.version_created(secret.name, version)
        self._schedule_expiry(secret, version)
        return secret, version

    def update(self, secret: Secret, version: Version, changes: Mapping[str, Any]) -> None:
        """Set members of a version; a new expiry replaces the events of the old one."""
        moved = changes.get("exp", version.exp) != version.exp
        for member, value in changes.items():
            setattr(version, member, value)
        version.updated = self.clock.now()
        self.changed("secret.updated", (self, secret, version))
        if moved:
            self._schedule_expiry(secret, version, moved=True)

    def delete(self, name: str) -> Deleted:
        """Delete a secret with all its versions."""
        secret, now = self.secret(name), self.clock.now()
        ready = now + self.deletion_delay
        deleted = Deleted(secret, now, ready, now + timedelta(days=self.retention_days))
        del self.secrets[name.lower()]
        self.deleted.add(deleted)
        self.changed("secret.deleted", (self, secret))
        return deleted

    def recover(self, name: str) -> Secret:
        self.deleted.find(name)
        secret = self.deleted.remove(name)
        self.secrets[name.lower()] = secret
        self.changed("secret.recovered", (self, secret))
        return secret

    def purge(self, name: str) -> None:
        self.deleted.find(name)
        if self.purge_protection:
            raise forbidden("Operation purge is not allowed: purge protection.")
        self.deleted.remove(name)

    def backup(self, name: str) -> str:
        """Return an opaque text that stands for all versions."""
        secret = self.secret(name)
        text = f"{self.random.getrandbits(256):064x}"
        self.backups.add(text, self.subscription, secret)
        return text

    def restore(self, text: str) -> Secret:
        """Add all versions of a backup, with their ids. Raises KeyVaultError if the name exists."""
        secret = self.backups.find(text, self.subscription)
        self.deleted.check_free(secret.name)
        if secret.name.lower() in self.secrets:
            raise conflict(f"A secret named {secret.name} already exists.")
        self.secrets[secret.name.lower()] = secret
        self.changed("secret.restored", (self, secret))
        return secret

    def new_version_id(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _schedule_expiry(self, secret: Secret, version: Version, *, moved: bool = False) -> None:
        """Schedule the expiry's events; they apply while the version is current and keeps it."""
        exp = version.exp

        def applies() -> bool:
            found = self.secrets.get(secret.name.lower())
            return found is not None and found.current is version and version.exp == exp

        self.events.schedule_expiry(secret.name, version, applies, moved=moved)
