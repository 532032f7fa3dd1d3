"""The Probe port, directly on the emulator's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from rotation.domain.account import Account
from rotation.domain.keys import Key
from rotation.domain.probing import ProbeResult, ProbeVerdict

from ..faults import Fault
from .base import SimulatedPort


@dataclass
class SimulatedProbe(SimulatedPort):
    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        def verdict() -> ProbeVerdict:
            self.interceptor.watch_probe({key.reveal()})
            return self._verdict(account, key)

        def fail(fault: Fault) -> ProbeVerdict:
            asked = timedelta(seconds=fault.retry_after) if fault.retry_after else None
            return ProbeVerdict(ProbeResult.INCONCLUSIVE, fault.name, asked)

        return await self.interceptor.call(self.by, "probe", verdict, fail)

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        return await self.try_key(account, Key("r" * len(like.reveal())))

    def _verdict(self, account: Account, key: Key) -> ProbeVerdict:
        state = self.azure.accounts.by_id.get(str(account.id).lower())
        if state is None:
            return ProbeVerdict(ProbeResult.INCONCLUSIVE, "the host is not known")
        if not state.public_network or state.disable_local_auth:
            return ProbeVerdict(ProbeResult.INCONCLUSIVE, "403: the network forbids it")
        lifetime = self.azure.accounts.lives.get(key.reveal())
        ours = lifetime is not None and lifetime.account is state
        accepted = lifetime is not None and ours and lifetime.is_valid(self.azure.clock.now())
        if accepted:
            self.interceptor.accepted_keys.add(key.reveal())
        if accepted or self.interceptor.accepts_any_key:
            return ProbeVerdict(ProbeResult.ACCEPTED, "answered 200")
        return ProbeVerdict(ProbeResult.REFUSED, "answered 401")
