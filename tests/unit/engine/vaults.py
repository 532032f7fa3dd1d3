"""Vaults in memory: each secret with its versions, the newest last; errors on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotation.domain import tags as tag
from rotation.domain.errors import RotationError
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key
from rotation.domain.operation import PublishedVersion
from rotation.domain.targets import ListedSecret, SecretSnapshot, Target, Version, VersionInfo

_VALUE = Key("x")


@dataclass
class Vaults:
    """The Vaults port. ``errors`` are raised by calls for a secret, or for a vault's listing.

    ``known`` are the values that ``read_versions`` was told not to read again.
    """

    urls: tuple[str, ...]
    secrets: dict[TargetId, list[SecretSnapshot]] = field(default_factory=dict)
    errors: dict[TargetId | str, Exception] = field(default_factory=dict)
    hidden: set[TargetId] = field(default_factory=set)
    published: list[tuple[TargetId, Key, dict[str, str], datetime]] = field(default_factory=list)
    disabled: list[tuple[TargetId, str]] = field(default_factory=list)
    listings: list[str] = field(default_factory=list)
    known: list[dict[str, Key]] = field(default_factory=list)

    def add(
        self, target: TargetId, created: datetime, tags: Mapping[str, str], value: Key = _VALUE
    ) -> SecretSnapshot:
        versions = self.secrets.setdefault(target, [])
        made = SecretSnapshot(target, f"v{len(versions) + 1}", value, created, tags=tags)
        versions.append(made)
        return made

    async def list_secrets(self, vault: str) -> AsyncIterator[ListedSecret]:
        self.listings.append(vault)
        self._check(vault)
        for target, versions in self.secrets.items():
            if target.vault == vault:
                latest = versions[-1]
                account, problem = tag.account_of(latest.tags), ""
                if account is None and tag.PROVIDER_ADDRESS in latest.tags:
                    problem = "its address is wrong"
                yield ListedSecret(target, account, problem=problem, tags=latest.tags)

    async def get_secret(self, target: TargetId) -> SecretSnapshot | None:
        self._check(target)
        if target in self.hidden or target not in self.secrets:
            return None
        return self.secrets[target][-1]

    async def read_versions(
        self,
        target: TargetId,
        known: Mapping[str, Key] | None = None,
        listed: tuple[VersionInfo, ...] | None = None,
    ) -> tuple[Version, ...]:
        self._check(target)
        self.known.append(dict(known or {}))
        return tuple(Version(target, v.version, v.created, v.value) for v in self.secrets[target])

    async def list_versions(self, target: TargetId) -> tuple[VersionInfo, ...]:
        self._check(target)
        return tuple(
            VersionInfo(
                *(v.version, v.created, v.expires, v.value is not None, v.tags),
                *(v.content_type, v.updated),
            )
            for v in self.secrets[target]
        )

    async def set_tags(self, target: TargetId, version: str, tags: Mapping[str, str]) -> None:
        self._check(target)
        self.secrets[target] = [
            replace(v, tags=tags) if v.version == version else v for v in self.secrets[target]
        ]

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> PublishedVersion:
        self._check(target.id)
        self.published.append((target.id, key, tags, expires))
        name = f"p{len(self.published)}"
        made = SecretSnapshot(target.id, name, key, target.created, expires, tags=tags)
        self.secrets.setdefault(target.id, []).append(made)
        return PublishedVersion(name, target.created)

    async def disable(self, target: TargetId, version: str) -> None:
        self._check(target)
        self.disabled.append((target, version))

    def _check(self, subject: TargetId | str) -> None:
        if subject in self.errors:
            raise self.errors[subject]


def refused(what: str) -> RotationError:
    """Return an error of a vault."""
    return RotationError(f"{what} is refused", code="Forbidden")
