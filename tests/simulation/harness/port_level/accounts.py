"""The Accounts port, directly on the emulator's state."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.services.accounts import Account as EmulatedAccount
from rotation.domain.account import Account
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Keys, Slot

from .base import Refusal, SimulatedPort


@dataclass
class SimulatedAccounts(SimulatedPort):
    def _account(self, account: AccountId) -> EmulatedAccount:
        found = self.azure.accounts.by_id.get(str(account).lower())
        if found is None:
            raise Refusal(404, "ResourceNotFound")
        return found

    async def get(self, account: AccountId) -> Account:
        def read() -> Account:
            found = self._account(account)
            return Account(
                account,
                found.kind,
                found.endpoint,
                found.api_endpoints(),
                bool(found.disable_local_auth),
                found.provisioning_state,
            )

        return await self.call("arm.get_account", f"read account {account.name}", read)

    async def list(self, subscription: str) -> list[Account]:
        found = [a for a in self.azure.accounts.by_id.values() if a.subscription == subscription]
        return [await self.get(AccountId.parse(account.id)) for account in found]

    async def keys(self, account: AccountId) -> Keys:
        def read() -> Keys:
            found = self._with_key_authentication(account)
            keys = found.shown_keys(self.azure.clock.now())
            return Keys(Key(keys["Key1"]), Key(keys["Key2"]))

        return await self.call("arm.list_keys", f"list the keys of {account.name}", read)

    async def regenerate(self, account: AccountId, slot: Slot) -> Keys | None:
        def effect() -> Keys:
            found = self._with_key_authentication(account)
            self.azure.accounts.regenerate(found, slot.value)
            return Keys(Key(found.keys["Key1"]), Key(found.keys["Key2"]))

        return await self.call("arm.regenerate_key", f"regenerate {slot} of {account.name}", effect)

    def _with_key_authentication(self, account: AccountId) -> EmulatedAccount:
        found = self._account(account)
        if found.locked:
            raise Refusal(409, "ScopeLocked")
        if found.provisioning_state != "Succeeded":
            raise Refusal(409, "AccountProvisioningStateInvalid")
        if found.disable_local_auth:
            raise Refusal(400, "LocalAuthDisabled")
        return found
