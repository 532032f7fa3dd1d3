"""Lists the enrolled secrets of all vaults, by account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.errors import RotationError
from ..domain.ids import AccountId, TargetId
from ..domain.targets import ListedSecret
from ..ports import Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited

# A regenerate needs a listing this recent: a secret enrolled later could publish the key.
FRESH = timedelta(seconds=60)


@dataclass(frozen=True)
class Listing:
    """One vault's enrolled secrets, or why it could not be listed."""

    vault: str
    at: datetime
    secrets: tuple[ListedSecret, ...] = ()
    error: RotationError | None = None


@dataclass
class Inventory:
    """Caches listings of all configured vaults; a failing vault does not affect the others."""

    vaults: Vaults
    clock: Clock
    max_age: timedelta = FRESH
    _listings: dict[str, Listing] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def listings(self, *, refresh: bool = False) -> tuple[Listing, ...]:
        """Return listings of all vaults no older than ``max_age``, or new ones with ``refresh``."""
        limit = timedelta() if refresh else self.max_age
        return tuple(
            await gather_limited(self._current(vault, limit) for vault in self.vaults.urls)
        )

    async def targets(self, account: AccountId, known: Iterable[TargetId]) -> tuple[TargetId, ...]:
        """Return the secrets enrolled for the account: those listed and those known.

        Raises the error of a vault that could not be listed and is known to hold one of them.
        """
        known = set(known)
        return tuple(sorted(known | await self.listed(account, known)))

    async def listed(
        self, account: AccountId, known: set[TargetId], *, refresh: bool = False
    ) -> set[TargetId]:
        """Like ``targets``, but only those that a vault lists."""
        found: set[TargetId] = set()
        for listing in await self.listings(refresh=refresh):
            if listing.error is not None and any(t.vault == listing.vault for t in known):
                raise listing.error
            found.update(s.target for s in listing.secrets if s.account == account)
        return found

    async def _current(self, vault: str, limit: timedelta) -> Listing:
        async with self._locks.setdefault(vault, asyncio.Lock()):
            kept = self._listings.get(vault)
            if kept and kept.error is None and self.clock.now() - kept.at < limit:
                return kept
            self._listings[vault] = await self._list(vault)
            return self._listings[vault]

    async def _list(self, vault: str) -> Listing:
        at = self.clock.now()
        try:
            secrets = [s async for s in self.vaults.list_secrets(vault) if s.is_enrolled]
        except RotationError as exc:
            return Listing(vault, at, error=exc)
        return Listing(vault, at, tuple(secrets))
