"""Secrets, their versions, and how a vault says no: data only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime


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
    created: datetime
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

    def as_of(self, moment: datetime) -> list[Version]:
        """The versions as a stale read shows them; a secret always has one."""
        return [v for v in self.versions if v.created <= moment] or self.versions[:1]

    def copy(self) -> Secret:
        """Apart from the original in all that can change."""
        return Secret(self.name, [replace(version) for version in self.versions])


@dataclass(frozen=True)
class Backup:
    """What a backup's opaque text stands for."""

    subscription: str
    secret: Secret


@dataclass
class Deleted:
    """A soft-deleted secret; visible as such only from ``ready`` on."""

    secret: Secret
    at: datetime
    ready: datetime
    purge_at: datetime
