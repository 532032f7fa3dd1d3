"""Lists the enrolled secrets of all vaults, by account."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice

from ..domain.bindings import Bindings, Bound, not_bound
from ..domain.errors import Permanent, RotationError, unexpected
from ..domain.ids import AccountId, TargetId
from ..domain.targets import ListedSecret
from ..ports import Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .bindings import BindingRegistry

# A regenerate needs a listing this recent: a secret enrolled later could publish the key. That of
# a large vault may be older, because listing it takes minutes.
FRESH = timedelta(seconds=60)

AT_ONCE = 4  # vaults that a sweep lists at the same time

KEPT = 20_000  # secrets of the vaults whose listings a sweep keeps

# A large vault is listed for a fifth of the time at most, and a quarter of an hour is the most.
LARGE, _SPARED, _OLDEST = 5000, 5, timedelta(minutes=15)

# A vault that could not be listed, because it is throttled, is not asked again by each visit.
_RETRY = timedelta(seconds=10)


@dataclass(frozen=True)
class Listing:
    """One vault's enrolled secrets, or why it could not be listed.

    ``mark`` is the newest mark of the vault that was known before it was listed; ``took`` is how
    long the listing took.
    """

    vault: str
    at: datetime
    secrets: tuple[ListedSecret, ...] = ()
    error: RotationError | None = None
    mark: str = ""
    names: frozenset[TargetId] = frozenset()
    took: timedelta = timedelta()

    def serves(self, max_age: timedelta, now: datetime) -> bool:
        """Return whether it is recent enough; a failed one serves for a moment.

        One of a large vault that took long serves for longer, unless a new one is wanted.
        """
        age = now - self.at
        if self.error is not None:
            return age < min(_RETRY, max_age)
        is_spared = max_age and len(self.names) >= LARGE
        return age < max(max_age, min(self.took * _SPARED, _OLDEST) if is_spared else max_age)

    @property
    def untagged(self) -> frozenset[TargetId]:
        """Secrets whose latest version does not carry our tags."""
        return self.names - {secret.target for secret in self.secrets}

    @cached_property
    def by_account(self) -> Mapping[AccountId, tuple[TargetId, ...]]:
        """The enrolled secrets of each account, found without a look at those of the others."""
        found: dict[AccountId, list[TargetId]] = defaultdict(list)
        for secret in self.secrets:
            if secret.account:
                found[secret.account].append(secret.target)
        return {account: tuple(targets) for account, targets in found.items()}


@dataclass
class Inventory:
    """Caches listings of all configured vaults; a failing vault does not affect the others."""

    vaults: Vaults
    clock: Clock
    bindings: BindingRegistry
    max_age: timedelta = FRESH
    _listings: dict[str, Listing] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def listings(
        self,
        *,
        refresh: bool = False,
        marks: Mapping[str, str] | None = None,
        bound_to: AccountId | None = None,
        retry: bool = False,
    ) -> tuple[Listing, ...]:
        """Return listings of all vaults no older than ``max_age``, or new ones with ``refresh``.

        With ``marks``, a vault whose mark has changed is listed again. With ``bound_to``, only the
        vaults that may hold the account's key are listed. With ``retry``, one that could not be
        listed is listed again.
        """
        limit = timedelta() if refresh else self.max_age
        vaults = await self._holding(bound_to) if bound_to else self.vaults.urls
        wanted = {vault: marks.get(vault, "") if marks else None for vault in vaults}
        if retry:
            self._forget_failures(vaults)
        kept = {vault: self._kept(vault, limit, mark) for vault, mark in wanted.items()}
        missing = [vault for vault, listing in kept.items() if listing is None]
        listed = await gather_limited(self._current(v, limit, wanted[v]) for v in missing)
        found = {listing.vault: listing for listing in listed}
        return tuple(listing or found[vault] for vault, listing in kept.items())

    async def each(self) -> AsyncIterator[Listing]:
        """List all vaults again, some at a time.

        Of a large fleet, no listing is kept: it would serve for a minute only.
        """
        count, vaults = 0, iter(self.vaults.urls)
        while some := tuple(islice(vaults, AT_ONCE)):
            for listing in await gather_limited(self._current(v, timedelta()) for v in some):
                count += len(listing.names)
                if count > KEPT:
                    self._listings.pop(listing.vault, None)
                yield listing

    async def targets(
        self, account: AccountId, known: Iterable[TargetId], *, retry: bool = False
    ) -> tuple[TargetId, ...]:
        """Return the secrets enrolled for the account: those listed and those known.

        A vault that cannot be listed hides only secrets that nobody knew of.
        """
        return tuple(sorted({*known, *await self.listed(account, retry=retry)}))

    async def listed(
        self, account: AccountId, *, refresh: bool = False, retry: bool = False
    ) -> set[TargetId]:
        """Return the secrets that a vault lists as enrolled for, and bound to, the account."""
        listings = await self.listings(refresh=refresh, bound_to=account, retry=retry)
        return {target for found in listings for target in found.by_account.get(account, ())}

    def _forget_failures(self, vaults: Iterable[str]) -> None:
        for vault in vaults:
            if vault in self._listings and self._listings[vault].error:
                del self._listings[vault]

    async def _holding(self, account: AccountId) -> tuple[str, ...]:
        bindings = await self.bindings.current()
        return tuple(vault for vault in self.vaults.urls if bindings.may_hold(vault, account))

    async def check_readable(self, *vaults: str) -> None:
        """Raise the error of a vault that cannot be listed; without ``vaults``, of any."""
        for listing in await self.listings():
            if listing.error and (not vaults or listing.vault in vaults):
                raise listing.error

    async def check_bound(self, target: TargetId, account: AccountId) -> None:
        """Raise Permanent if the secret may not receive the account's key."""
        if (await self.bindings.current()).of(target, account) is Bound.NONE:
            raise Permanent(
                not_bound(target, account),
                code="NotBound",
                remedy="see ROTATION_BINDINGS in the documentation of the settings",
            )

    def remembered(self, target: TargetId) -> AccountId | None:
        """Return a secret's account by the vault's last listing, without a call."""
        listing = self._listings.get(target.vault)
        secrets = listing.secrets if listing else ()
        return next((s.account for s in secrets if s.target == target), None)

    async def listing(self, vault: str, *, refresh: bool = False) -> Listing:
        """Return one vault's listing."""
        return await self._current(vault, timedelta() if refresh else self.max_age)

    async def _current(self, vault: str, limit: timedelta, mark: str | None = None) -> Listing:
        async with self._locks.setdefault(vault, asyncio.Lock()):
            kept = self._kept(vault, limit, mark)
            if kept:
                return kept
            before = self._listings.get(vault)
            known = before.mark if before else ""
            found = await self._list(vault)
            self._listings[vault] = replace(found, mark=known if mark is None else mark)
            return self._listings[vault]

    def _kept(self, vault: str, limit: timedelta, mark: str | None) -> Listing | None:
        """Return the last listing if it is recent enough and has the mark."""
        kept = self._listings.get(vault)
        if kept is None or not kept.serves(limit, self.clock.now()):
            return None
        return kept if mark is None or mark == kept.mark else None

    async def _list(self, vault: str) -> Listing:
        at = self.clock.now()
        try:
            listed = [secret async for secret in self.vaults.list_secrets(vault)]
        except RotationError as exc:
            return Listing(vault, at, error=exc)
        except Exception as exc:  # noqa: BLE001 - one vault's listing must not hide the others
            return Listing(vault, at, error=unexpected(exc))
        bindings = await self.bindings.current()
        enrolled = tuple(_bound(secret, bindings) for secret in listed if secret.is_enrolled)
        names = frozenset(secret.target for secret in listed)
        return Listing(vault, at, enrolled, names=names, took=self.clock.now() - at)


def _bound(secret: ListedSecret, bindings: Bindings) -> ListedSecret:
    """Return the secret; if it is not bound to its account, without it and with the reason."""
    if secret.account is None or bindings.of(secret.target, secret.account) is not Bound.NONE:
        return secret
    return replace(secret, account=None, problem=not_bound(secret.target, secret.account))
