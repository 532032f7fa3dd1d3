"""Mutants that trust what was read before for too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from rotation.decisions import chain
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.domain import standing
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.engine import resting
from rotation.engine.handover import Listed
from rotation.engine.held_records import HeldRecord
from rotation.engine.recent import Recent
from rotation.engine.reconciler import Reconciler
from rotation.engine.resting import Resting
from rotation.service.comparison import Checks

from .patches import Patch


def kept_between_visits() -> list[Patch]:
    """The readings of one visit serve all later ones, until an effect changes them."""

    async def step(
        reconciler: Reconciler, account: Any, known: Any = (), recent: Recent | None = None
    ) -> Any:
        kept = vars(reconciler).setdefault("_kept", {}).setdefault(account, Recent())
        return await original(reconciler, account, known, kept)

    def begin(recent: Recent, *args: Any, **more: Any) -> None:
        recent.is_reused = False

    original = Reconciler.step
    ignored = (Recent, "forget", lambda recent: None)
    return [(Reconciler, "step", step), (Recent, "begin", begin), ignored]


def not_read_before_a_regenerate() -> list[Patch]:
    """A step that follows another one sends a regenerate with what that one read."""

    def begin(recent: Recent, *args: Any, may_send: bool, **more: Any) -> None:
        original(recent, *args, may_send=False, **more)
        recent.is_reused = False

    original = Recent.begin
    return [(Recent, "begin", begin)]


def keys_kept_after_a_regenerate() -> list[Patch]:
    def after(recent: Recent, facts: Any, action: Any, answer: Any = None) -> None:
        keys = recent.keys
        original(recent, facts, action)
        if action.kind is ActionKind.SEND:
            recent.keys = keys

    original = Recent.after
    return [(Recent, "after", after)]


def verdicts_kept_after_a_regenerate() -> list[Patch]:
    def after(recent: Recent, facts: Any, action: Any, answer: Any = None) -> None:
        original(recent, facts, action, answer)
        recent.verdicts, recent.control = facts.verdicts, facts.control

    original = Recent.after
    return [(Recent, "after", after)]


def answer_published() -> list[Patch]:
    """A key is published that only the answer to the regenerate has shown."""

    def note(recent: Recent, *args: Any) -> None:
        original(recent, *args)
        recent.is_answer = False

    original = Recent.note
    return [(Recent, "note", note)]


def late_listing_adopted() -> list[Patch]:
    """The answer ends the intent, so that a late listing of the value before counts as new."""

    def confirmed(f: Facts) -> Facts:
        sending = f.record.phase in (Phase.REGENERATE, Phase.REVOKE)
        return f if sending else replace(f, record=replace(f.record, intent=None))

    return [(chain, "confirmed", confirmed)]


def rest_for_ever() -> list[Patch]:
    return [(resting, "FULL", timedelta(days=10_000))]


def rest_without_a_probe() -> list[Patch]:
    """An account is at rest as long as its secrets are unchanged."""

    async def is_unchanged(rest: Any, record: Any, etag: Any, known: Any) -> bool:
        left = rest._left.get(record.account)
        if left is None or left.etag != etag or not rest._covers(left, record, known):
            return False
        read = await rest.gatherer.reader.read(record.account, left.shown, set(left.shown))
        return bool(resting.shown(read, record.salt) == left.shown)

    return [(Resting, "is_unchanged", is_unchanged)]


def secrets_kept_after_a_publish() -> list[Patch]:
    def after(recent: Recent, facts: Any, action: Any, answer: Any = None) -> None:
        read = recent.read
        original(recent, facts, action, answer)
        if action.kind is ActionKind.PUBLISH:
            recent.read = read

    original = Recent.after
    return [(Recent, "after", after)]


def left_copy_not_confirmed() -> list[Patch]:
    """A visit acts on the record as an earlier visit left it."""
    return [(HeldRecord, "is_behind", property(lambda held: bool(held.notes)))]


def notes_lost_in_a_conflict() -> list[Patch]:
    def take(held: HeldRecord, record: Any, etag: Any) -> Any:
        held.notes.clear()
        return original(held, record, etag)

    original = HeldRecord.take
    return [(HeldRecord, "take", take)]


def handed_keys_always_serve() -> list[Patch]:
    """The keys of an acceptance serve although the record shows a change since."""
    return [(Listed, "serves", lambda listed, record: True)]


def wake_up_missed_by_a_sweep() -> list[Patch]:
    """A sweep leaves an account at rest alone, although its time has come."""

    def parse(text: str) -> Any:
        found = original(text)
        return found and found._replace(wake=found.wake.replace(year=9000))

    original = standing.parse
    return [(standing, "parse", parse)]


def unsettled_times_trusted() -> list[Patch]:
    return [(standing, "SETTLED", timedelta())]


def index_of_a_record_with_work() -> list[Patch]:
    """An account with a request or a failure counts as at rest."""
    return [(standing, "has_work", lambda record: False)]


def settings_left_out_of_the_index() -> list[Patch]:
    def total(traces: Any, policy: Any) -> int:
        return int(original(traces, Policy()))

    original = standing.total
    return [(standing, "total", total)]


def turns_never_come() -> list[Patch]:
    """Accounts at rest in a large fleet are never looked at."""
    return [(Checks, "is_due", lambda checks, slug: False)]
