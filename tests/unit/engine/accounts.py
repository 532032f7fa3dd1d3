"""Accounts and their data plane in memory, for tests of the engine and of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rotation.domain.account import Account
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.probing import ProbeResult, ProbeVerdict

REFUSED = ProbeVerdict(ProbeResult.REFUSED)


class Accounts:
    """The Accounts port: every account has the same keys. ``errors`` are raised by method.

    ``calls`` are the names of the methods in the order of their calls.

    ``during`` runs while a regenerate is under way, whose answer has the keys ``answer``.
    """

    def __init__(self, keys: Keys, **members: Any) -> None:
        self.shown, self.members = keys, members
        self.regenerated: list[tuple[AccountId, Slot]] = []
        self.errors: dict[str, Exception] = {}
        self.during: Callable[[], Any] | None = None
        self.answer: Keys | None = None
        self.calls: list[str] = []

    async def get(self, account: AccountId) -> Account:
        self._check("get")
        return Account(**{"id": account, "kind": "OpenAI", "endpoint": "https://e", **self.members})

    async def list(self, subscription: str) -> list[Account]:
        self._check("list")
        return []

    async def keys(self, account: AccountId) -> Keys:
        self._check("keys")
        return self.shown

    async def regenerate(self, account: AccountId, slot: Slot) -> Keys | None:
        self.regenerated.append((account, slot))
        if self.during:
            await self.during()
        self._check("regenerate")
        return self.answer

    def _check(self, method: str) -> None:
        self.calls.append(method)
        if method in self.errors:
            raise self.errors[method]


class Probe:
    """A data plane that accepts some keys. ``tried`` are all that were tried; None is random."""

    def __init__(self, *accepted: Key) -> None:
        self.accepted = accepted
        self.tried: list[Key | None] = []

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        self.tried.append(key)
        return ProbeVerdict(ProbeResult.ACCEPTED) if key in self.accepted else REFUSED

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        self.tried.append(None)
        return REFUSED
