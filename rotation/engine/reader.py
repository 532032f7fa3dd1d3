"""Reads the secrets of an account; one that cannot be read never hides another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from ..domain import tags
from ..domain.errors import RotationError, Transient, unexpected
from ..domain.formats import RAW, Formats, unknown
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Key
from ..domain.targets import SecretSnapshot, VersionInfo
from ..ports import Vaults
from ..runtime.concurrency import gather_limited
from .inventory import Inventory


@dataclass(frozen=True)
class Read:
    """The latest versions, the members that were deleted, and the errors of the others."""

    snapshots: tuple[SecretSnapshot, ...] = ()
    deleted: tuple[TargetId, ...] = ()
    unreadable: Mapping[TargetId, RotationError] = field(default_factory=dict)
    versions: Mapping[TargetId, tuple[VersionInfo, ...]] = field(default_factory=dict)


class Expected(NamedTuple):
    """The version that a secret last showed, and the key in it."""

    version: str
    value: Key


@dataclass(frozen=True)
class SecretReader:
    """Reads secrets of the configured vaults."""

    vaults: Vaults
    inventory: Inventory
    formats: Formats = field(default_factory=Formats)

    async def read(
        self,
        account: AccountId,
        ids: Iterable[TargetId],
        members: set[TargetId],
        expected: Mapping[TargetId, Expected] | None = None,
    ) -> Read:
        """Read ``ids``. ``members`` count as gone only if their vault does not list them either.

        Secrets in vaults that are not configured are left out. Of a secret with an ``expected``
        version, the versions are listed first. If that is the latest one, its value is known.
        """
        wanted = sorted(target for target in ids if target.vault in self.vaults.urls)
        listed: dict[TargetId, tuple[VersionInfo, ...]] = {}
        found = await gather_limited(
            self._one(account, target, target in members, (expected or {}).get(target), listed)
            for target in wanted
        )
        pairs = dict(zip(wanted, found, strict=True))
        return Read(
            tuple(s for s in pairs.values() if isinstance(s, SecretSnapshot)),
            tuple(target for target, s in pairs.items() if s is None and target in members),
            {target: e for target, e in pairs.items() if isinstance(e, RotationError)},
            listed,
        )

    async def find(self, target: TargetId) -> tuple[AccountId, SecretSnapshot] | None:
        """Return the account that a secret is enrolled for, and its latest version, or None.

        A latest version without our tags counts as the newest that has them. Raises Permanent if
        the secret is not bound to that account.
        """
        found = await self.vaults.get_secret(target)
        if found is None:
            return None
        account = tags.account_of(found.tags) or await self._former_account(target, found)
        if account is None:
            return None
        await self.inventory.check_bound(found.id, account)
        return account, found

    async def _former_account(self, target: TargetId, found: SecretSnapshot) -> AccountId | None:
        if tags.PROVIDER_ADDRESS.lower() in {name.strip().lower() for name in found.tags}:
            return None
        named = [v for v in await self.vaults.list_versions(target) if tags.account_of(v.tags)]
        newest = max(named, key=_created, default=None)
        return tags.account_of(newest.tags) if newest else None

    async def _one(
        self,
        account: AccountId,
        target: TargetId,
        member: bool,
        expected: Expected | None,
        listed: dict[TargetId, tuple[VersionInfo, ...]],
    ) -> SecretSnapshot | RotationError | None:
        try:
            if expected:
                with suppress(RotationError):  # the read below tells whether it was deleted
                    listed[target] = await self.vaults.list_versions(target)
                    known = _latest(target, listed[target], expected)
                    if known and _names(known.tags, account):
                        return known
            found = await self.vaults.get_secret(target)
            if found is None:
                return await self._missing(target) if member else None
            return await self._with_former_tags(account, found)
        except RotationError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - one secret must not hide the others
            return unexpected(exc)

    async def _missing(self, target: TargetId) -> RotationError | None:
        """Return None if the vault does not list the secret: one 404 may be stale."""
        listing = await self.inventory.listing(target.vault, refresh=True)
        if listing.error is not None:
            return listing.error
        if target not in listing.names:
            return None
        return Transient(f"{target.name}: listed, but not found", code="Contradiction")

    async def _with_former_tags(self, account: AccountId, found: SecretSnapshot) -> SecretSnapshot:
        """Return the version; if it lacks our tags, with those of the newest that has them."""
        if _names(found.tags, account):
            return found
        earlier = [v for v in await self.vaults.list_versions(found.id) if _names(v.tags, account)]
        newest = max(earlier, key=_created, default=None)
        return self._in_format(found, newest.tags) if newest else found

    def _in_format(self, found: SecretSnapshot, former: Mapping[str, str]) -> SecretSnapshot:
        """Return a version without our tags, read in the format of the tags before.

        Raises Permanent if that format is not defined.
        """
        name = tags.format_of(former) or RAW
        text = self.formats.extract(name, found.value.reveal()) if found.value else ""
        if text is None:
            raise unknown(found.id, name)
        value = found.value if name == RAW or not found.value else Key(text)
        return replace(found, former_tags=former, value=value)


def _latest(
    target: TargetId, listed: tuple[VersionInfo, ...], expected: Expected
) -> SecretSnapshot | None:
    """Return the latest version if it is the expected one, whose value never changes.

    None if it is another one or disabled, or if two versions have the same second.
    """
    newest = sorted(listed, key=_created)[-2:]
    if not newest or len({version.created for version in newest}) < len(newest):
        return None
    latest = newest[-1]
    if not latest.enabled or latest.version != expected.version:
        return None
    return SecretSnapshot(
        id=target,
        version=latest.version,
        value=expected.value,
        created=latest.created,
        expires=latest.expires,
        content_type=latest.content_type,
        tags=latest.tags,
        updated=latest.updated,
    )


def _names(found: Mapping[str, str], account: AccountId) -> bool:
    return tags.account_of(found) == account


def _created(version: VersionInfo) -> datetime:
    return version.created
