"""Tries whether the keys of an account can be proven, before anything depends on that."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain import probe_choice
from ..domain.account import Account
from ..domain.cloud import Cloud
from ..domain.keys import Key, Keys
from ..domain.kinds import kind_of
from ..domain.probe_choice import Choice, Overrides
from ..domain.probing import ProbeResult, ProbeVerdict, accepts
from ..ports import Probe

FIX = (
    "Remove the cause; or choose another probe with ROTATION_PROBE_OVERRIDES (docs/kinds.md); "
    "or set ROTATION_PROBE=accept to rotate without this proof."
)


@dataclass(frozen=True)
class Proof:
    """The result of a trial of an account's keys: ``is_given`` if a probe proves one."""

    is_given: bool
    detail: str


@dataclass(frozen=True)
class Prover:
    """Makes the calls of a rotation: a current key and a random one, on the account's host."""

    probe: Probe
    cloud: Cloud
    overrides: Overrides

    async def prove(self, account: Account, keys: Keys) -> Proof:
        """Try a current key; the other one if it is refused, as it may be new."""
        used = _name(account, probe_choice.choose(account, self.cloud, self.overrides))
        control = await self.probe.try_random(account, keys.key1)
        verdict = await self._tried(account, keys.key1, keys.key2)
        if accepts(verdict, control):
            return Proof(True, f"{used} proves a key")
        return Proof(False, f"{used} proves nothing: {_reason(verdict, control)}")

    async def _tried(self, account: Account, *keys: Key) -> ProbeVerdict:
        for key in keys:
            verdict = await self.probe.try_key(account, key)
            if verdict.result is not ProbeResult.REFUSED:
                break
        return verdict


def _name(account: Account, choice: Choice) -> str:
    """Return the probe's name, and why it is this one."""
    if choice.is_configured:
        return f"probe {choice.call.name} (ROTATION_PROBE_OVERRIDES)"
    is_confirmed = choice.call.source and kind_of(account.kind).is_confirmed
    note = "" if is_confirmed else " (general proof, not confirmed for this kind)"
    return f"probe {choice.call.name}{note}"


def _reason(verdict: ProbeVerdict, control: ProbeVerdict) -> str:
    if verdict.result in (ProbeResult.INCONCLUSIVE, ProbeResult.REFUSED):
        what = "both keys are refused: " if verdict.result is ProbeResult.REFUSED else ""
        return what + verdict.detail
    return f"a random key was not refused: {control.detail}"
