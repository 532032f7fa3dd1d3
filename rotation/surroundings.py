"""What stands beside the managed secrets and is not managed: accounts and key-like secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .errors import RotationError
from .inventory import Inventory
from .model import Account, AccountId
from .ports import Accounts, Listed, Vaults

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
            for a in await self._readable(subscription, problems)
            if a.id not in managed
        ]
        secrets = [
            {"vault": vault, "secret": secret.target.name, "reason": "it is not enrolled"}
            for vault in self.vaults.urls
            for secret in await self._others(vault, problems)
            if looks_like_a_key(secret.target.name)
        ]
        return {"accounts": accounts, "secrets": secrets}, problems

    async def _readable(self, subscription: str, problems: list[str]) -> list[Account]:
        try:
            return list(await self.accounts.readable(subscription))
        except RotationError as exc:
            problems.append(str(exc))
            return []

    async def _others(self, vault: str, problems: list[str]) -> list[Listed]:
        try:
            return [secret async for secret in self.vaults.others(vault)]
        except RotationError:
            return []  # the listing of the enrolled ones has said so


def looks_like_a_key(name: str) -> bool:
    return bool(_KEY_LIKE.search(name))


def _why(account: Account) -> str:
    if account.local_auth_disabled:
        return "its keys are switched off: nothing to rotate"
    return "no secret is enrolled for it"
