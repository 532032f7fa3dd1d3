"""Checks after an emergency's document was written."""

from __future__ import annotations

from rotation.domain import codec
from rotation.domain.emergency import STALE, Emergency, Verdict
from rotation.domain.keys import Key, Slot
from rotation.engine.emergencies import PREFIX

from .invariants import Invariant
from .observations import Observations

FORGIVEN = (Verdict.CANCELLED, Verdict.ABANDONED)


class EmergencyChecks:
    """Checks that an emergency says "revoked" only if it is true."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def written(self, name: str, body: bytes) -> None:
        """Raises Violation."""
        if not name.startswith(PREFIX):
            return
        found = codec.load(Emergency, body)
        self._note(found)
        if found.verdict is Verdict.REFUSED:
            leaked = self._pinned(found) | self._seen.leaked_keys.ever[found.id]
            works = any(self._world.accepts(value) for value in leaked)
            message = f"the emergency {found.id} says revoked, and the leaked key works"
            self._require(Invariant.REVOKED_IS_TRUE, not works, message)

    def _note(self, found: Emergency) -> None:
        """Note which values leaked, or that a person took the report back."""
        ledger = self._seen.ledger_of(str(found.account))
        ledger.open_emergencies.discard(found.id)
        if found.verdict in FORGIVEN:
            self._seen.leaked_keys.withdraw([found.id])
        if not found.is_open:
            return
        ledger.open_emergencies.add(found.id)
        if found.impatient:
            ledger.impatient_emergencies.add(found.id)
        if found.forced:
            ledger.forced_emergencies.add(found.id)
        values = set() if self._is_overdue(found) else self._pinned(found)
        if found.id not in ledger.emergencies and (found.provisional or not found.pins):
            # What ARM lists: right after a regenerate, that may be the key before it.
            keys = self._world.state(found.account).shown_keys(self._world.now)
            slots = [found.leaked.slot] if found.leaked.slot else [*Slot]
            values |= {keys[slot] for slot in slots if not self._is_new(found, slot, keys[slot])}
        ledger.emergencies.add(found.id)
        self._seen.leaked_keys.add(self._world.state(found.account), found.id, values)

    def _is_new(self, found: Emergency, slot: Slot, shown: str) -> bool:
        """Return whether the service made a value after the report, so that it did not leak.

        A rotation may regenerate a key before the document of the emergency is stored.
        """
        made = self._seen.ledger_of(str(found.account)).regenerated
        after = any(at >= found.at for at, each in made if each is slot)
        return after and shown == self._world.keys(found.account)[slot]

    def _is_overdue(self, found: Emergency) -> bool:
        """Return whether it has waited so long that only a person may begin it."""
        return self._world.now - found.at > STALE and not found.audit

    def _pinned(self, found: Emergency) -> set[str]:
        """Return the leaked values, of all that the account ever had."""
        values = {v for _, keys in self._world.state(found.account).history for v in keys.values()}
        return {value for value in values if found.holds(Key(value))}
