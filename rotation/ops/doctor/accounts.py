"""Checks of one account: permissions, and that key authentication is enabled and readable."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain import permissions
from ...domain.errors import Permanent
from ...domain.ids import AccountId
from ...ports import Accounts, Resources
from .findings import Finding, attempt
from .permissions import check_permissions, grant_command


@dataclass(frozen=True)
class AccountChecks:
    """The checks of an account. ``object_id`` is the caller's, for the command of a fix."""

    resources: Resources
    accounts: Accounts
    object_id: str

    async def run(self, account: AccountId) -> list[Finding]:
        return [await self._permissions(str(account)), await self._keys(account)]

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


def _local_auth_disabled(account: AccountId) -> Permanent:
    return Permanent(
        "key authentication is disabled",
        code="LocalAuthDisabled",
        remedy=f"Run az resource update --ids {account} --set properties.disableLocalAuth=false; "
        "or remove the secret's tags.",
    )
