"""Checks of one account: permissions, readable keys, and whether a probe proves them."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain import permissions
from ...domain.account import Account
from ...domain.errors import Permanent
from ...domain.ids import AccountId
from ...domain.keys import Keys
from ...ports import Accounts, Resources
from ..pace import Pace
from ..proof import FIX, Prover
from .findings import CheckState, Finding, attempt
from .permissions import check_permissions, grant_command


@dataclass(frozen=True)
class AccountChecks:
    """The checks of an account. ``object_id`` is the caller's, for the command of a fix."""

    resources: Resources
    accounts: Accounts
    prover: Prover
    object_id: str
    pace: Pace

    async def run(self, account: AccountId) -> list[Finding]:
        readable: list[tuple[Account, Keys]] = []
        keys = await self._keys(account, readable)
        proofs = [await self._proof(*one) for one in readable]
        return [await self._permissions(str(account)), keys, *proofs]

    async def _permissions(self, scope: str) -> Finding:
        fix = grant_command(self.object_id, "Key rotator", scope)
        wanted = permissions.ON_ACCOUNT
        return await check_permissions(
            self.resources, "account rights", scope, scope, wanted, fix, data=False
        )

    async def _keys(self, account: AccountId, readable: list[tuple[Account, Keys]]) -> Finding:
        """Check that the keys can be read; add them to ``readable``."""

        async def read() -> str:
            found = await self.accounts.get(account)
            if found.local_auth_disabled:
                raise _local_auth_disabled(account)
            keys = await self.pace.read(lambda: self.accounts.keys(account))
            readable.append((found, keys))
            return f"{found.kind}; both keys can be read"

        return await attempt("account", str(account), read)

    async def _proof(self, account: Account, keys: Keys) -> Finding:
        proof = await self.prover.prove(account, keys)
        state, fix = (CheckState.OK, "") if proof.is_given else (CheckState.WARNING, FIX)
        return Finding("proof", str(account.id), state, proof.detail, fix)


def _local_auth_disabled(account: AccountId) -> Permanent:
    return Permanent(
        "key authentication is disabled",
        code="LocalAuthDisabled",
        remedy=f"Run az resource update --ids {account} --set properties.disableLocalAuth=false; "
        "or remove the secret's tags.",
    )
