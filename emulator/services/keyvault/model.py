"""Secrets and their versions: data only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass
class Version:
    """One version of a secret. ``created`` is exact; the wire shows whole seconds."""

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
    """A name and its versions, oldest first; the last one is the current one."""

    name: str
    versions: list[Version] = field(default_factory=list)

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def as_of(self, moment: datetime) -> list[Version]:
        """Return the versions that existed at a moment, or else the first one."""
        return [v for v in self.versions if v.created <= moment] or self.versions[:1]

    def copy(self) -> Secret:
        """Return an independent copy."""
        return Secret(self.name, [replace(version) for version in self.versions])


@dataclass
class Deleted:
    """A soft-deleted secret; requests see it as deleted from ``ready`` on."""

    secret: Secret
    at: datetime
    ready: datetime
    purge_at: datetime
