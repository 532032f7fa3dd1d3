"""Vaults, secrets and versions: state and rules, no protocol."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..clock import Clock
from .events import Topic

THROTTLE_WINDOW = timedelta(seconds=10)
CREATES, OTHERS = 300, 4000


class Refused(Exception):
    """A request that the service refuses: status, code and inner code of its error."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner = status, code, message, inner


@dataclass
class Version:
    """One version of a secret. ``made`` is exact; the wire shows whole seconds."""

    id: str
    value: str
    made: datetime
    updated: datetime
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None


@dataclass
class Secret:
    """A name and its versions, oldest first; the last one made is the current one."""

    name: str
    versions: list[Version] = field(default_factory=list)

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def as_of(self, moment: datetime) -> Version:
        """The current version as a stale read shows it."""
        return next((v for v in reversed(self.versions) if v.made <= moment), self.versions[0])


@dataclass
class Deleted:
    """A soft-deleted secret; visible as such only from ``ready`` on."""

    secret: Secret
    at: datetime
    ready: datetime
    purge_at: datetime


@dataclass
class Throttle:
    """Requests of the last ten seconds; one that is refused does not count."""

    limit: int
    seen: deque[datetime] = field(default_factory=deque)

    def admit(self, now: datetime) -> bool:
        while self.seen and self.seen[0] <= now - THROTTLE_WINDOW:
            self.seen.popleft()
        if len(self.seen) >= self.limit:
            return False
        self.seen.append(now)
        return True


@dataclass
class Vault:
    """One vault. ``open`` is its firewall; ``rbac`` false means the older access policies."""

    name: str
    subscription: str
    resource_group: str
    clock: Clock
    random: random.Random
    changed: Callable[[str, Any], None]
    suffix: str = "vault.azure.net"
    location: str = "westeurope"
    open: bool = True
    retention_days: int = 90
    purge_protection: bool = False
    deletion_delay: timedelta = timedelta()
    stale_for: timedelta = timedelta()
    secrets: dict[str, Secret] = field(default_factory=dict)
    deleted: dict[str, Deleted] = field(default_factory=dict)
    creates: Throttle = field(default_factory=lambda: Throttle(CREATES))
    others: Throttle = field(default_factory=lambda: Throttle(OTHERS))
    backups: dict[str, Secret] = field(default_factory=dict)
    topic: Topic = field(init=False)

    def __post_init__(self) -> None:
        self.topic = Topic(self.clock, self.random, self.id, self.name)

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
        if not version:
            stale = secret.as_of(self.clock.now() - self.stale_for)
            return secret, stale if self.stale_for else secret.current
        found = next((v for v in secret.versions if v.id == version.lower()), None)
        if found is None:
            raise _not_found(f"{name}/{version}")
        return secret, found

    def set(self, name: str, version: Version) -> tuple[Secret, Version]:
        """A new version, which becomes the current one."""
        self.check_free(name)
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        secret.versions.append(version)
        self.changed("secret.set", (self, secret, version))
        self._raise_events(secret, version)
        return secret, version

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
        self.changed("secret.deleted", (self, secret))
        return deleted

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
        token = f"{self.random.getrandbits(256):064x}"
        secret = self.secret(name)
        if len(secret.versions) > 500:
            raise Refused(
                400, "BadParameter", "A secret with more than 500 versions has no backup."
            )
        self.backups[token] = Secret(secret.name, list(secret.versions))
        return token

    def restore(self, secret: Secret) -> Secret:
        self.check_free(secret.name)
        if secret.name.lower() in self.secrets:
            raise Refused(409, "Conflict", f"A secret named {secret.name} already exists.")
        self.secrets[secret.name.lower()] = Secret(secret.name, list(secret.versions))
        return self.secrets[secret.name.lower()]

    def new_version_id(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _raise_events(self, secret: Secret, version: Version) -> None:
        def is_current() -> bool:
            found = self.secrets.get(secret.name.lower())
            return found is not None and found.current is version

        self.topic.version_made(secret.name, version.id, version.nbf, version.exp, is_current)


def _not_found(name: str, what: str = "") -> Refused:
    text = f"A {what}secret with (name/id) {name} was not found in this key vault."
    return Refused(404, "SecretNotFound", text)
