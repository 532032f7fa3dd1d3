"""Checks of one account: permissions, readable keys, and whether a probe proves them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...domain import permissions
from ...domain.errors import Permanent
from ...domain.ids import AccountId
from ...ports import Accounts, Resources
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

    async def run(self, account: AccountId) -> list[Finding]:
        keys = await self._keys(account)
        readable = keys.state is CheckState.OK
        proof = [await self._proof(account)] if readable else []
        return [await self._permissions(str(account)), keys, *proof]

    async def _permissions(self, scope: str) -> Finding:
        fix = grant_command(self.object_id, "Key rotator", scope)
        wanted = permissions.ON_ACCOUNT
        return await check_permissions(
            self.resources, "account rights", scope, scope, wanted, fix, data=False
        )

    async def _keys(self, account: AccountId) -> Finding:
        async def read() -> str:
            found = await self.accounts.get(account)
            if found.local_auth_disabled:
                raise _local_auth_disabled(account)
            await self.accounts.keys(account)
            return f"{found.kind}; both keys can be read"

        return await attempt("account", str(account), read)

    async def _proof(self, account: AccountId) -> Finding:
        async def read() -> str:
            found = await self.accounts.get(account)
            proof = await self.prover.prove(found, await self.accounts.keys(account))
            if not proof.is_given:
                raise Permanent(proof.detail, code="NotProven", remedy=FIX)
            return proof.detail

        found = await attempt("proof", str(account), read)
        return replace(found, state=min(found.state, CheckState.WARNING, key=_STATES.index))


_STATES = list(CheckState)


def _local_auth_disabled(account: AccountId) -> Permanent:
    return Permanent(
        "key authentication is disabled",
        code="LocalAuthDisabled",
        remedy=f"Run az resource update --ids {account} --set properties.disableLocalAuth=false; "
        "or remove the secret's tags.",
    )
