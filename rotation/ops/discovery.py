"""What is there: every account that can be seen, and how each stands to the rotation.

Looks with an operator's own rights, before or beside the deployed service, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..domain import tags
from ..domain.errors import RotationError
from ..domain.model import AccountId, Key, Slot, TargetId
from ..ports import Accounts, Listed, Resources, Vaults
from ..runtime.concurrency import together
from .management import Found, Holding, judged
from .survey import by_account, key_like, readable, seen_vaults

AT_ONCE = 8


@dataclass(frozen=True)
class Survey:
    """All accounts, and what could not be read.

    ``key_like`` are secrets that are not enrolled and look like keys, by their names.
    """

    found: tuple[Found, ...]
    key_like: tuple[TargetId, ...]
    other_vaults: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass
class Discovery:
    """One look at the subscriptions and the configured vaults."""

    resources: Resources
    accounts: Accounts
    vaults: Vaults

    async def look(
        self, subscriptions: Sequence[str] = (), seen: Callable[[int, int], None] | None = None
    ) -> Survey:
        """``seen(done, of)`` is called after each account.

        Raises only where nothing can be listed at all: who cannot sign in sees no subscription.
        """
        problems: list[str] = []
        subscriptions = subscriptions or await self.resources.subscriptions()
        accounts = {
            account.id: account
            for subscription in subscriptions
            for account in await readable(self.accounts, subscription, problems)
        }
        listed = [s for vault in self.vaults.urls for s in await self._enrolled(vault, problems)]
        problems += [f"{s.target}: {s.problem}" for s in listed if s.account is None]
        enrolled = by_account(listed)
        known = sorted({*accounts, *enrolled})
        done = 0

        async def one(account: AccountId) -> Found:
            nonlocal done
            held = await self._held(account, enrolled.get(account, []))
            done += 1
            if seen:
                seen(done, len(known))
            return judged(account, accounts.get(account), held)

        found = await together((one(account) for account in known), AT_ONCE)
        others = set(await seen_vaults(self.resources, subscriptions)) - set(self.vaults.urls)
        key_likes = sorted(await key_like(self.vaults))
        return Survey(tuple(found), tuple(key_likes), tuple(sorted(others)), tuple(problems))

    async def _enrolled(self, vault: str, problems: list[str]) -> list[Listed]:
        try:
            return [secret async for secret in self.vaults.enrolled(vault)]
        except RotationError as exc:
            problems.append(str(exc))
            return []

    async def _held(self, account: AccountId, enrolled: list[Listed]) -> list[Holding]:
        """Which key each secret holds, by value; values are compared here and go nowhere."""
        if not enrolled:
            return []
        try:
            keys = await self.accounts.keys(account)
        except RotationError as exc:
            return [Holding(s.target, ours=_ours(s), unread=str(exc)) for s in enrolled]
        return [await self._holding(secret, keys.slot_of) for secret in enrolled]

    async def _holding(
        self, secret: Listed, slot_of: Callable[[Key | None], Slot | None]
    ) -> Holding:
        ours = _ours(secret)
        try:
            target = await self.vaults.read(secret.target)
        except RotationError as exc:
            return Holding(secret.target, ours=ours, unread=str(exc))
        if target is None or target.value is None:
            return Holding(secret.target, ours=ours, unread="it is disabled or gone")
        return Holding(secret.target, slot_of(target.value), ours)


def _ours(secret: Listed) -> bool:
    return bool({name.lower() for name in secret.tags} & tags.OWN)
