"""Checks the invariants on the server's side, after every change and whichever worker made it."""

from __future__ import annotations

from typing import Any

from .emergency_checks import EmergencyChecks
from .invariants import Invariant
from .journal_checks import JournalChecks
from .observations import Observations
from .regeneration_checks import RegenerationChecks
from .secret_checks import SecretChecks
from .trust_checks import TrustChecks


class Checker:
    """Subscribes to the emulator's and the storage's changes. They raise Violation."""

    def __init__(self, observations: Observations) -> None:
        self._observations = observations
        self._regenerations = RegenerationChecks(observations)
        self._trust = TrustChecks(observations)
        self._secrets = SecretChecks(observations, self._trust)
        self._journal = JournalChecks(observations, self._trust)
        emergencies = EmergencyChecks(observations)
        observations.world.storage.watchers.append(emergencies.written)
        observations.world.interceptor.probe_watchers.append(self._trust.probed)
        observations.world.azure.observers.append(self._observe)
        observations.world.storage.watchers.append(self._journal.written)

    def check_leaks(self) -> None:
        """Check, once everything is at rest, that each leaked key of our accounts was revoked."""
        seen = self._observations
        ours = [account.name for account in seen.world.ids]
        if seen.leaked_keys.reported:
            valid = seen.leaked_keys.still_valid(ours)
            message = f"a key of {', '.join(valid)} was reported as leaked and still works"
            seen.invariants.require(Invariant.LEAKED_KEY_REVOKED, not valid, message)

    def _observe(self, event: str, detail: Any) -> None:
        if event == "account.regenerating":
            self._regenerations.regenerating(*detail)
        elif event == "account.regenerated":
            self._journal.remember_keys(detail[0])
        elif event.startswith("secret."):
            self._secrets.changed(event, *detail)
