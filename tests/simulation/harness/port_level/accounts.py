"""Accounts and data plane at the port level: the emulator's state directly behind the ports.

What fails becomes an error by the adapters' own table, so only the way to the wire is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.services.accounts import Account as Stateful
from rotation.domain.model import Account, AccountId, Key, Keys, ProbeResult, ProbeVerdict, Slot

from ..faults import Fault
from .base import Refusal, SimulatedPort


@dataclass
class SimAccounts(SimulatedPort):
    def _account(self, account: AccountId) -> Stateful:
        found = self.azure.accounts.by_id.get(str(account).lower())
        if found is None:
            raise Refusal(404, "ResourceNotFound")
        return found

    async def get(self, account: AccountId) -> Account:
        def shown() -> Account:
            found = self._account(account)
            return Account(
                account,
                found.kind,
                found.endpoint,
                found.api_endpoints(),
                bool(found.disable_local_auth),
                found.provisioning_state,
            )

        return await self.call("arm.get_account", f"read account {account.name}", shown)

    async def readable(self, subscription: str) -> list[Account]:
        found = [a for a in self.azure.accounts.by_id.values() if a.subscription == subscription]
        return [await self.get(AccountId.parse(account.id)) for account in found]

    async def keys(self, account: AccountId) -> Keys:
        def both() -> Keys:
            found = self._usable(account)
            keys = found.shown_keys(self.azure.clock.now())
            return Keys(Key(keys["Key1"]), Key(keys["Key2"]))

        return await self.call("arm.list_keys", f"list the keys of {account.name}", both)

    async def regenerate(self, account: AccountId, slot: Slot) -> None:
        def effect() -> None:
            self.azure.accounts.regenerate(self._usable(account), slot.value)

        await self.call("arm.regenerate_key", f"regenerate {slot} of {account.name}", effect)

    def _usable(self, account: AccountId) -> Stateful:
        found = self._account(account)
        if found.locked:
            raise Refusal(409, "ScopeLocked")
        if found.provisioning_state != "Succeeded":
            raise Refusal(409, "AccountProvisioningStateInvalid")
        if found.disable_local_auth:
            raise Refusal(400, "LocalAuthDisabled")
        return found


@dataclass
class SimProbe(SimulatedPort):
    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        def verdict() -> ProbeVerdict:
            return self._verdict(account, key)

        def fail(fault: Fault) -> ProbeVerdict:
            """Only a key that works is ever throttled."""
            return (
                verdict()
                if fault.status == 429
                else ProbeVerdict(ProbeResult.INCONCLUSIVE, fault.name)
            )

        return await self.interceptor.call(self.by, "probe", verdict, fail)

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        return await self.try_key(account, Key("r" * len(like.reveal())))

    def _verdict(self, account: Account, key: Key) -> ProbeVerdict:
        state = self.azure.account(str(account.id))
        if not state.public_network or state.disable_local_auth:
            return ProbeVerdict(ProbeResult.INCONCLUSIVE, "403: the network forbids it")
        lifetime = self.azure.accounts.lives.get(key.reveal())
        ours = lifetime is not None and lifetime.account is state
        accepted = lifetime is not None and ours and lifetime.accepted(self.azure.clock.now())
        if accepted:
            self.interceptor.accepted_keys.add(key.reveal())
        if accepted or self.interceptor.accepts_any_key:
            return ProbeVerdict(ProbeResult.ACCEPTED, "answered 200")
        return ProbeVerdict(ProbeResult.REFUSED, "answered 401")
