"""Checks after an emergency's document was written."""

from __future__ import annotations

from rotation.domain import codec
from rotation.domain.emergency import Emergency, Verdict
from rotation.domain.keys import Key

from .invariants import Invariant
from .observations import Observations

PREFIX = "emergency-"


class EmergencyChecks:
    """Checks that an emergency says "revoked" only if it is true."""

    def __init__(self, observations: Observations) -> None:
        self._world = observations.world
        self._require = observations.invariants.require

    def written(self, name: str, body: bytes) -> None:
        """Raises Violation."""
        if not name.startswith(PREFIX):
            return
        found = codec.load(Emergency, body)
        if found.verdict is Verdict.REFUSED:
            works = any(self._world.accepts(value) for value in self._pinned(found))
            message = f"the emergency {found.id} says revoked, and the leaked key works"
            self._require(Invariant.REVOKED_IS_TRUE, not works, message)

    def _pinned(self, found: Emergency) -> list[str]:
        """Return the leaked values, of all that the account ever had."""
        values = {v for _, keys in self._world.state(found.account).history for v in keys.values()}
        return [value for value in values if found.holds(Key(value))]
