"""What stands beside the managed secrets and is not managed: accounts and key-like secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .errors import RotationError
from .inventory import Inventory
from .model import Account, AccountId, TargetId
from .ports import Accounts, Listed, Resources, SeenVault, Vaults

MAX_AGE = timedelta(minutes=5)
# By its name: values are not read for this.
_KEY_LIKE = re.compile(r"(^|[-_])(api)?keys?([-_\d]|$)|openai|aoai|cognitive|speech", re.I)

Found = tuple[dict[str, Any], list[str]]


@dataclass
class Surroundings:
    """Looked at every five minutes at most; it changes seldom and costs a listing more."""

    vaults: Vaults
    accounts: Accounts
    inventory: Inventory
    _at: datetime | None = None
    _for: frozenset[AccountId] = frozenset()
    _found: Found = field(default_factory=lambda: ({}, []))

    async def unmanaged(self, managed: Iterable[AccountId]) -> Found:
        """Accounts and secrets, each with the reason; and what could not be read."""
        now, known = self.inventory.clock.now(), frozenset(managed)
        if self._at is None or now - self._at > MAX_AGE or known != self._for:
            self._found = await self._look(known)
            self._at, self._for = now, known
        return self._found

    async def _look(self, managed: frozenset[AccountId]) -> Found:
        problems: list[str] = []
        accounts = [
            {"account": str(a.id), "accountName": a.id.name, "kind": a.kind, "reason": _why(a)}
            for subscription in sorted({account.subscription for account in managed})
            for a in await readable(self.accounts, subscription, problems)
            if a.id not in managed
        ]
        secrets = [
            {"vault": target.vault, "secret": target.name, "reason": "it is not enrolled"}
            for target in await key_like(self.vaults)
        ]
        return {"accounts": accounts, "secrets": secrets}, problems


def by_account(listed: Iterable[Listed]) -> dict[AccountId, list[Listed]]:
    """What is enrolled, for whom; without what has no account."""
    found: dict[AccountId, list[Listed]] = {}
    for secret in listed:
        if secret.account:
            found.setdefault(secret.account, []).append(secret)
    return found


async def readable(accounts: Accounts, subscription: str, problems: list[str]) -> list[Account]:
    """Those of a subscription; where it cannot be read none, and ``problems`` has the reason."""
    try:
        return list(await accounts.readable(subscription))
    except RotationError as exc:
        problems.append(str(exc))
        return []


async def key_like(vaults: Vaults) -> list[TargetId]:
    """Secrets that are not enrolled and look like keys, by their names, in the vaults' order."""
    found = [secret.target for url in vaults.urls for secret in await _others(vaults, url)]
    return [target for target in found if _KEY_LIKE.search(target.name)]


async def _others(vaults: Vaults, url: str) -> list[Listed]:
    try:
        return [secret async for secret in vaults.others(url)]
    except RotationError:
        return []  # the listing of the enrolled ones has said so


async def seen_vaults(resources: Resources, subscriptions: Iterable[str]) -> dict[str, SeenVault]:
    """Vaults by their URLs; a subscription that cannot be listed shows none."""
    seen: dict[str, SeenVault] = {}
    for subscription in subscriptions:
        try:
            seen |= await resources.vaults(subscription)
        except RotationError:
            continue
    return seen


def _why(account: Account) -> str:
    if account.local_auth_disabled:
        return "its keys are switched off: nothing to rotate"
    return "no secret is enrolled for it"
