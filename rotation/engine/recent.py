"""The readings of one visit, so that its next step need not read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..decisions.actions import Action, ActionKind
from ..decisions.facts import Facts
from ..domain.account import Account
from ..domain.keys import Key, Keys
from ..domain.operation import Purpose
from ..domain.probing import ProbeVerdict
from ..domain.targets import Version
from .reader import Read


@dataclass
class Recent:
    """The last readings of one visit; ``at`` is the time of the oldest. See decision 0019.

    An effect forgets what it changes. Everything else that may change it forgets all.
    ``is_reused``: the present step uses secrets or keys that an earlier one read.
    ``unlisted``: what was read before the account or its keys could not be read.
    ``is_answer``: the keys are those in the answer to a regenerate; they were not listed yet.
    ``facts`` are those of the step that came to rest.
    """

    account: Account | None = None
    read: Read | None = None
    unlisted: Read | None = None
    keys: Keys | None = None
    versions: tuple[Version, ...] | None = None
    verdicts: Mapping[Key, ProbeVerdict] = field(default_factory=dict)
    control: ProbeVerdict | None = None
    at: datetime | None = None
    is_reused: bool = False
    is_answer: bool = False
    facts: Facts | None = None

    def begin(
        self, now: datetime, max_age: timedelta, *, may_send: bool, urgent: bool = False
    ) -> None:
        """Begin a step; one that may send a regenerate reads everything itself.

        An ``urgent`` one, in an emergency, uses keys that were listed, also for a regenerate.
        """
        if may_send or self.at is None or abs(now - self.at) > max_age:
            self.forget()
            self.at = now
        if urgent and self.is_answer:
            self.keys, self.is_answer = None, False
        self.is_reused = self.read is not None or (self.keys is not None and not urgent)

    def keys_for(self, read: Read, now: datetime, max_age: timedelta) -> Keys | None:
        """Return the keys, unless they may have changed since.

        That is so if a secret shows another value, or if reading the secrets took too long.
        """
        if self.at is None or abs(now - self.at) > max_age:
            return None
        shown = [snapshot.value for snapshot in read.snapshots if snapshot.value]
        known = self.keys and all(self.keys.slot_of(value) for value in shown)
        return self.keys if known else None

    def note(self, account: Account, read: Read, keys: Keys) -> None:
        """Note what a step uses; keys that it has listed are not those of an answer."""
        self.is_answer, self.unlisted = self.is_answer and keys is self.keys, None
        self.account, self.read, self.keys = account, read, keys

    def after(self, facts: Facts, action: Action, answer: Keys | None = None) -> None:
        """Keep what the effect did not change; in an emergency, no secrets.

        An emergency goes on without secrets that could not be read: it looks for them again. It
        keeps the keys over its publish. A publish changes no verdict about a value.
        """
        self.verdicts, self.control = {}, None
        match action.kind:
            case ActionKind.IDLE | ActionKind.WAIT:
                self.facts = facts
            case ActionKind.SEND:
                self.keys = answer if answer and _is_new(answer, facts.keys, action) else None
                self.is_answer = self.keys is not None
            case ActionKind.PUBLISH:
                self.read = None
                self.verdicts, self.control = facts.verdicts, facts.control
            case ActionKind.DISABLE:
                self.versions = tuple(_without(v, action) for v in facts.known_versions)
            case _:
                self.forget()
        operation = facts.record.operation
        if operation and operation.purpose is Purpose.EMERGENCY:
            self.read = self.versions = None
            if action.kind is not ActionKind.PUBLISH:
                self.keys, self.is_answer = None, False

    def forget(self) -> None:
        """Forget everything."""
        self.account = self.read = self.keys = self.versions = self.at = None
        self.verdicts, self.control = {}, None
        self.is_answer, self.facts = False, None


def _is_new(answer: Keys, before: Keys, action: Action) -> bool:
    """Return whether an answer differs in the slot that was regenerated, and only there."""
    slot = action.slot
    return (
        slot is not None
        and answer[slot] != before[slot]
        and answer[slot.other] == before[slot.other]
    )


def _without(version: Version, action: Action) -> Version:
    """Return a version; one that was disabled has no value."""
    disabled = (version.target, version.version) in action.versions
    return dataclasses.replace(version, value=None) if disabled else version
