"""Unmanaged accounts and key-like secrets, cached for five minutes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.account import Account
from ..domain.ids import AccountId, TargetId
from ..engine.bindings import BindingRegistry
from ..ops.survey import find_key_like_secrets, list_accounts
from ..ports import Accounts, Vaults
from ..runtime.clock import Clock
from .replies.fleet import UnmanagedAccountReply, UnmanagedReply, UnmanagedSecretReply

MAX_AGE = timedelta(minutes=5)

Found = tuple[UnmanagedReply, list[str]]


@dataclass
class UnmanagedResources:
    """Cached for five minutes, because it needs an extra listing."""

    vaults: Vaults
    accounts: Accounts
    bindings: BindingRegistry
    clock: Clock
    _at: datetime | None = None
    _for: frozenset[AccountId] = frozenset()
    _found: Found = (UnmanagedReply(accounts=[], secrets=[]), [])

    async def find(self, managed: Iterable[AccountId]) -> Found:
        """Return unmanaged accounts and secrets with the reason, and problems of reading them."""
        now, known = self.clock.now(), frozenset(managed)
        if self._at is None or now - self._at > MAX_AGE or known != self._for:
            self._found = await self._read(known)
            self._at, self._for = now, known
        return self._found

    async def _read(self, managed: frozenset[AccountId]) -> Found:
        problems: list[str] = []
        bound = (await self.bindings.current()).subscriptions
        subscriptions = {account.subscription.lower() for account in managed} | bound
        accounts = [
            _account(a)
            for subscription in sorted(subscriptions)
            for a in await list_accounts(self.accounts, subscription, problems)
            if a.id not in managed
        ]
        secrets = [_secret(target) for target in await find_key_like_secrets(self.vaults)]
        return UnmanagedReply(accounts=accounts, secrets=secrets), problems


def _account(account: Account) -> UnmanagedAccountReply:
    name = account.id.name
    return UnmanagedAccountReply(
        account=str(account.id), account_name=name, kind=account.kind, reason=_why(account)
    )


def _secret(target: TargetId) -> UnmanagedSecretReply:
    return UnmanagedSecretReply(vault=target.vault, secret=target.name, reason="it is not enrolled")


def _why(account: Account) -> str:
    if account.local_auth_disabled:
        return "its keys are disabled, so there is nothing to rotate"
    return "no secret is enrolled for it"
