"""The ports on the emulator's state, with latencies and Azure's limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from emulator.services.accounts import Account as EmulatedAccount
from emulator.services.arm.errors import ArmError
from emulator.services.keyvault.errors import KeyVaultError
from emulator.services.keyvault.vault import Vault
from rotation.domain.ids import AccountId
from rotation.ports import Limits
from tests.simulation.harness.faults import Fault
from tests.simulation.harness.interceptor import Interceptor, Process
from tests.simulation.harness.port_level.accounts import SimulatedAccounts
from tests.simulation.harness.port_level.base import response_error
from tests.simulation.harness.port_level.vaults import SimulatedVaults

from .latencies import Latencies

T = TypeVar("T")

PRINCIPAL = "rotation"


@dataclass
class TimedInterceptor(Interceptor):
    """Adds the latency to each call. ``throttled`` has what each answer 429 was about."""

    latencies: Latencies = field(default_factory=Latencies)
    made: Counter[str] = field(default_factory=Counter)
    throttled: list[str] = field(default_factory=list)

    async def call(
        self, by: Process, name: str, effect: Callable[[], T], fail: Callable[[Fault], T]
    ) -> T:
        await asyncio.sleep(self.latencies.of(name))
        self.made[name] += 1
        return effect()

    def refuse(self, place: str) -> None:
        """Note an answer 429 to a call about an account or a vault."""
        self.throttled.append(place.lower())


@dataclass
class LimitedAccounts(SimulatedAccounts):
    """The Accounts port behind ARM's token buckets, of one principal."""

    interceptor: TimedInterceptor
    limits: Limits | None = None
    _name: str = ""

    async def call(self, name: str, doing: str, effect: Callable[[], T]) -> T:
        def named() -> T:
            self._name = name
            return effect()

        try:
            return await super().call(name, doing, named)
        except ArmError as refused:
            seconds = int(refused.headers["Retry-After"])
            raise response_error(429, refused.code, name, doing, seconds) from None

    def _account(self, account: AccountId) -> EmulatedAccount:
        kind = "reads" if self._name == "arm.get_account" else "writes"
        now = self.azure.clock.now()
        limits, place = self.limits, account.subscription
        try:
            headers = self.azure.arm.throttling.spend(kind, PRINCIPAL, place, now)
        except ArmError as refused:
            self.interceptor.refuse(str(account))
            if limits:
                asked = timedelta(seconds=int(refused.headers["Retry-After"]))
                limits.refused(place, asked, now)
            raise
        if limits and kind == "writes":
            limits.left(place, int(headers["x-ms-ratelimit-remaining-subscription-writes"]), now)
        return super()._account(account)


@dataclass
class LimitedVaults(SimulatedVaults):
    """The Vaults port behind Key Vault's limits of a vault and of a subscription and region."""

    interceptor: TimedInterceptor
    limits: Limits | None = None
    _name: str = ""

    async def call(self, name: str, doing: str, effect: Callable[[], T]) -> T:
        def named() -> T:
            self._name = name
            return effect()

        return await super().call(name, doing, named)

    def _vault(self, url: str) -> Vault:
        vault = super()._vault(url)
        try:
            self.azure.keyvault.throttle(vault, creates=self._name == "keyvault.set_secret")
        except KeyVaultError:
            self.interceptor.refuse(url)
            if self.limits:
                self.limits.refused(url, None, self.azure.clock.now())
            raise
        return vault
