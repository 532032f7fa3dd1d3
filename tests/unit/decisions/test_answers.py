"""Answers of a person, cancellations and merged requests come before the running phase."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import chain
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.access import Role
from rotation.domain.emergency import Verdict
from rotation.domain.errors import Transient
from rotation.domain.keys import Key, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import AuditEntry, Ending, Intent, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Failure, Repair
from rotation.domain.request import Leaked, Request, RequestKind

from .account import (
    ACCEPTED,
    KEYS,
    NOW,
    OLD,
    document,
    emergency,
    facts,
    name,
    operation,
    phase,
    responding,
    rotation,
    running,
    seen,
    target,
    verdicts,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CAUSE = Failure("code", "message", "remedy", NOW)
MANUAL = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW, idempotency_key="k-1")


def answer(kind: RequestKind, role: str | None = None) -> Request:
    return Request("a-1", kind, "why not", "cy", NOW, role=role)


def answered(kind: RequestKind, *, role: str | None = None, **more: Any) -> Facts:
    """Return a blocked rotation in phase VERIFY with a person's answer and another request."""
    record = {"blocked": CAUSE, "last_failure": CAUSE} | more.pop("record", {})
    asked = (answer(kind, role), MANUAL)
    return running(more.pop("at", Phase.VERIFY), rotation(**more), requests=asked, **record)


def ended(action: Action) -> Ending | None:
    return action.record.history[-1].ending if action.record.history else None


class TestAnswers:
    def test_resuming_goes_on_where_it_stopped(self) -> None:
        changes = (NOW, NOW, NOW)
        f = answered(RequestKind.RESUME, overwritten=3, record={"foreign_changes": changes})
        action = decide(f)
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.VERIFY)
        record = action.record
        assert (record.blocked, record.last_failure, record.foreign_changes) == (None, None, ())
        assert (operation(action).overwritten, operation(action).phase_since) == (0, NOW)
        assert [request.id for request in record.requests] == ["m-1"]

    def test_resuming_without_evidence_revokes(self) -> None:
        cause = replace(CAUSE, code="evidence-missing")
        f = answered(RequestKind.RESUME, at=Phase.OVERLAP, record={"blocked": cause})
        assert phase(decide(f)) is Phase.REVOKE

    def test_abandoning_ends_it(self) -> None:
        action = decide(answered(RequestKind.ABANDON))
        assert (phase(action), ended(action)) == (Phase.IDLE, Ending.ABANDONED)
        assert "cy" in (action.record.history[-1].outcome or "")

    @pytest.mark.parametrize(
        ("at", "more", "cancels"),
        [
            (Phase.REGENERATE, {}, True),
            (Phase.VERIFY, {}, True),
            (Phase.PUBLISH, {}, True),
            (Phase.OVERLAP, {}, False),
            (Phase.REVOKE, {}, False),
            (Phase.VERIFY, {"regenerated_at": NOW}, False),
            (Phase.VERIFY, {"overlap_until": NOW}, False),
            (Phase.VERIFY, {"puts": {name(): PublishedVersion("v1", NOW)}}, False),
            (Phase.VERIFY, {"record": {"intent": Intent("i", Slot.KEY2, "x", NOW)}}, False),
        ],
    )
    def test_cancelling_ends_only_what_has_changed_nothing(
        self, at: Phase, more: Any, cancels: bool
    ) -> None:
        action = decide(answered(RequestKind.CANCEL, at=at, **more))
        assert action.kind is ActionKind.MOVE
        assert ended(action) is (Ending.CANCELLED if cancels else None)
        assert (action.record.operation is None) is cancels
        assert [request.id for request in action.record.requests] == ["m-1"]

    def test_without_an_operation_there_is_nothing_to_answer(self) -> None:
        action = decide(facts(requests=(answer(RequestKind.ABANDON), MANUAL), blocked=CAUSE))
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.IDLE)
        assert action.record.requests == (MANUAL,)
        assert action.record.blocked is None


class TestEmergencies:
    """Only the Emergency role answers for an emergency."""

    def asked(self, kind: RequestKind, role: str | None, **more: Any) -> Facts:
        return responding(more.pop("at", Phase.VERIFY), requests=(answer(kind, role),), **more)

    @pytest.mark.parametrize("role", [None, "Rotation.Operate"])
    @pytest.mark.parametrize("kind", [RequestKind.ABANDON, RequestKind.CANCEL, RequestKind.RESUME])
    def test_another_role_changes_nothing(self, kind: RequestKind, role: str | None) -> None:
        f = self.asked(kind, role)
        action = decide(f)
        assert action.kind is ActionKind.MOVE
        assert action.record == replace(f.record, requests=())
        assert action.emergencies is None

    @pytest.mark.parametrize(
        ("kind", "verdict"),
        [
            (RequestKind.ABANDON, Verdict.ABANDONED),
            (RequestKind.CANCEL, Verdict.CANCELLED),
        ],
    )
    def test_that_role_ends_it_and_closes_its_documents(
        self, kind: RequestKind, verdict: Verdict
    ) -> None:
        closed = document(id="e-0", verdict=Verdict.REFUSED)
        f = self.asked(kind, Role.EMERGENCY, op={"requests": ("e-0",)})
        action = decide(replace(f, emergencies=(closed, document())))
        assert phase(action) is Phase.IDLE
        found = action.emergencies or ()
        assert found[0] == closed
        assert (found[1].verdict, found[1].closed_at) == (verdict, NOW)
        assert "cy" in found[1].audit[-1].what

    def test_that_role_resumes_it(self) -> None:
        action = decide(self.asked(RequestKind.RESUME, Role.EMERGENCY))
        assert "resumed by cy" in operation(action).audit[-1].what

    def test_other_rotations_need_no_role(self) -> None:
        assert ended(decide(answered(RequestKind.ABANDON))) is Ending.ABANDONED


class TestAbandonedUnread:
    """An operation can be abandoned although Azure cannot be read."""

    def abandoned(self, kind: RequestKind = RequestKind.ABANDON, **record: Any) -> Action | None:
        f = running(Phase.VERIFY, rotation(), requests=(answer(kind),))
        return chain.abandoned(replace(f.record, **record), NOW, Policy(), ())

    def test_it_ends(self) -> None:
        action = self.abandoned()
        assert action is not None
        assert ended(action) is Ending.ABANDONED

    def test_nothing_else_is_answered_so(self) -> None:
        assert self.abandoned(RequestKind.CANCEL) is None
        assert self.abandoned(RequestKind.RESUME) is None
        assert self.abandoned(requests=()) is None
        assert self.abandoned(operation=None) is None

    def test_its_emergencies_are_closed(self) -> None:
        f = responding(Phase.VERIFY, requests=(answer(RequestKind.ABANDON, Role.EMERGENCY),))
        action = chain.abandoned(f.record, NOW, Policy(), (document(),))
        assert action is not None
        assert [e.verdict for e in action.emergencies or ()] == [Verdict.ABANDONED]


class TestCalledOff:
    def closed(self, verdict: Verdict = Verdict.CANCELLED, *more: Any, **op: Any) -> Facts:
        note = AuditEntry(NOW, "called off by cy")
        f = responding(op.pop("at", Phase.VERIFY), op=op)
        found = document(verdict=verdict, audit=(AuditEntry(NOW, "x"), note))
        return replace(f, emergencies=(found, *more))

    @pytest.mark.parametrize(
        ("verdict", "ending"),
        [
            (Verdict.CANCELLED, Ending.CANCELLED),
            (Verdict.ABANDONED, Ending.ABANDONED),
            (Verdict.REFUSED, None),
        ],
    )
    def test_a_closed_document_ends_the_operation(
        self, verdict: Verdict, ending: Ending | None
    ) -> None:
        action = decide(self.closed(verdict))
        assert ended(action) is ending
        assert ending is None or action.reason == "called off by cy"

    def test_a_document_without_a_note_names_its_verdict(self) -> None:
        f = responding(Phase.VERIFY)
        action = decide(replace(f, emergencies=(document(verdict=Verdict.CANCELLED),)))
        assert action.reason == "cancelled"

    def test_not_while_another_one_is_open(self) -> None:
        assert ended(decide(self.closed(Verdict.CANCELLED, document(id="e-2")))) is None
        waiting = document(id="e-2", begun_at=None)
        f = self.closed(Verdict.CANCELLED, waiting, requests=("e-2",))
        assert ended(decide(f)) is None

    def test_not_while_it_cleans_up(self) -> None:
        assert ended(decide(self.closed(at=Phase.CLEAN))) is not Ending.CANCELLED

    def test_a_rotation_is_not_concerned(self) -> None:
        f = running(Phase.VERIFY, rotation(id="e-1"))
        f = replace(f, emergencies=(document(verdict=Verdict.CANCELLED),))
        assert ended(decide(f)) is None


class TestMerged:
    def test_a_request_joins_the_running_rotation(self) -> None:
        f = running(
            Phase.VERIFY,
            rotation(requests=("m-0",), idempotency_keys=("k-0",)),
            requests=(MANUAL, replace(MANUAL, id="m-2", idempotency_key=None)),
        )
        action = decide(f)
        assert (action.kind, action.record.requests) == (ActionKind.MOVE, ())
        assert operation(action).requests == ("m-0", "m-1", "m-2")
        assert operation(action).idempotency_keys == ("k-0", "k-1")

    def test_it_is_not_named_twice(self) -> None:
        f = running(Phase.VERIFY, rotation(requests=("m-1",)), requests=(MANUAL,))
        assert operation(decide(f)).requests == ("m-1",)

    def test_an_emergency_fulfils_it_too(self) -> None:
        f = responding(Phase.VERIFY, requests=(MANUAL,))
        assert operation(decide(f)).requests == ("m-1",)

    @pytest.mark.parametrize("purpose", [Purpose.REPAIR, Purpose.FINISH])
    def test_a_repair_does_not(self, purpose: Purpose) -> None:
        op = rotation(purpose=purpose, value="another")
        assert decide(running(Phase.VERIFY, op, requests=(MANUAL,))).record.requests == (MANUAL,)

    def test_an_emergency_that_a_person_must_confirm_is_not_lost_in_a_rotation(self) -> None:
        waiting = emergency()
        f = running(Phase.VERIFY, rotation(), requests=(waiting, MANUAL))
        action = decide(replace(f, emergencies=(document(begun_at=None),)))
        assert operation(action).requests == ("m-1",)
        assert action.record.requests == (waiting,)

    def test_old_requests_of_events_are_dropped(self) -> None:
        event = replace(MANUAL, kind=RequestKind.EXPIRY)
        f = running(Phase.VERIFY, rotation(), requests=(event,))
        assert decide(f).record.requests == ()


class TestRestoredRecord:
    def restored(self, **more: Any) -> Facts:
        members = {"seen": {name("a"): seen(OLD)}} | more.pop("record", {})
        return running(Phase.REVOKE, rotation(**more), target("a", KEYS.key2), **members)

    def test_fingerprints_of_another_salt_are_forgotten(self) -> None:
        intent = Intent("i", Slot.KEY1, "x", NOW)
        action = decide(self.restored(record={"intent": intent, "seen": {name("a"): seen(OLD)}}))
        assert (action.kind, operation(action).retired) == (ActionKind.MOVE, None)
        assert action.record.intent is None
        assert action.record.quarantine == {Slot.KEY1: NOW + 10 * MINUTE}
        assert action.record.seen[name("a")].fingerprint == KEYS.key2.fingerprint("salt")

    def test_only_one_that_names_an_old_key_has_something_to_forget(self) -> None:
        assert "restored" not in decide(self.restored(retired=None)).reason

    def test_not_if_they_are_of_the_records_own(self) -> None:
        f = self.restored(record={"seen": {name("a"): seen(KEYS.key2)}})
        assert decide(f).kind is not ActionKind.MOVE


class TestOrder:
    def test_a_blocked_operation_waits_for_an_answer(self) -> None:
        action = decide(running(Phase.VERIFY, rotation(), blocked=CAUSE))
        assert (action.kind, action.not_before) == (ActionKind.BLOCKED, None)
        assert action.reason == "message; remedy"

    def test_without_members_and_secrets_an_operation_ends(self) -> None:
        f = replace(running(Phase.VERIFY, rotation()), targets=())
        assert ended(decide(f)) is Ending.UNENROLLED
        known = replace(f.record, members={name("a"): Member(NOW)})
        assert ended(decide(replace(f, record=known))) is None
        assert decide(replace(facts(), targets=())).kind is ActionKind.IDLE

    def test_a_secret_that_cannot_be_read_stops_a_rotation_but_no_repair(self) -> None:
        error = Transient("throttled", code="Throttled")
        f = running(Phase.VERIFY, rotation())
        assert decide(replace(f, read_errors={target("a").id: error})).failure == error
        f = running(Phase.VERIFY, rotation(purpose=Purpose.REPAIR))
        assert decide(replace(f, read_errors={target("a").id: error})).failure is None

    def test_so_does_a_vault_that_is_undecided(self) -> None:
        f = running(Phase.VERIFY, rotation())
        assert decide(replace(f, undecided=f.targets)).not_before == NOW + MINUTE

    def test_values_that_are_neither_key_are_probed_unless_they_rest(self) -> None:
        unknown = Key("d" * 32)
        f = facts(target("a", unknown), target("b"))
        assert decide(f).missing.probe == (unknown, KEYS.key1, KEYS.key2)
        resting = replace(f, record=replace(f.record, repairs={name("a"): Repair(3, NOW)}))
        assert decide(resting).kind is ActionKind.BLOCKED

    def test_an_emergency_comes_before_that(self) -> None:
        unknown = Key("d" * 32)
        f = facts(target("a", unknown), target("b"), requests=(emergency(Leaked.KEY2),))
        assert decide(f).kind is ActionKind.MOVE

    def test_strays_are_set_aside(self) -> None:
        known = {name("a"): seen(OLD, since=NOW - HOUR)}
        f = verdicts(facts(target("a", OLD), target("b"), seen=known), (OLD, ACCEPTED))
        assert decide(f).kind is ActionKind.IDLE


class TestContest:
    """Keys that others regenerate too: scheduled work waits for a person."""

    def contested(self, at: Phase = Phase.REGENERATE, *targets: Any, **more: Any) -> Facts:
        record = {"foreign_changes": (NOW, NOW, NOW)} | more.pop("record", {})
        return running(at, rotation(**more), *targets, **record)

    BOTH = (target("a", KEYS.key2), target("b", KEYS.key2))

    def test_it_is_blocked_before_the_next_regenerate(self) -> None:
        for f in (self.contested(), self.contested(Phase.REVOKE, *self.BOTH)):
            action = decide(f)
            assert action.kind is ActionKind.BLOCKED
            assert action.record.blocked is not None
            assert (action.record.blocked.code, action.record.blocked.since) == (
                "foreign-changes",
                NOW,
            )

    @pytest.mark.parametrize("at", [Phase.VERIFY, Phase.PUBLISH])
    def test_other_phases_go_on(self, at: Phase) -> None:
        assert decide(self.contested(at)).kind is not ActionKind.BLOCKED

    def test_a_repair_goes_on(self) -> None:
        f = self.contested(Phase.REGENERATE, purpose=Purpose.REPAIR)
        assert decide(f).kind is ActionKind.SEND

    def test_so_does_a_regenerate_that_was_sent(self) -> None:
        intent = Intent("i", Slot.KEY2, "x", NOW)
        assert phase(decide(self.contested(record={"intent": intent}))) is Phase.VERIFY

    def test_two_changes_do_not_hold_it(self) -> None:
        f = self.contested(record={"foreign_changes": (NOW, NOW)})
        assert decide(f).kind is ActionKind.SEND

    def test_another_block_stays(self) -> None:
        action = decide(self.contested(record={"blocked": CAUSE}))
        assert action.record.blocked == CAUSE

    def test_while_it_is_held_consumers_without_a_key_are_helped(self) -> None:
        held = {"blocked": replace(CAUSE, code="foreign-changes"), "foreign_changes": ()}
        f = self.contested(Phase.REGENERATE, target("a"), target("b", KEYS.key2), record=held)
        assert ended(decide(f)) is Ending.OVERTAKEN
        f = self.contested(Phase.REVOKE, target("a"), target("b", KEYS.key2), record=held)
        assert phase(decide(f)) is Phase.PUBLISH
        waiting = decide(self.contested(record=held))
        assert waiting.kind is ActionKind.BLOCKED
        assert waiting.record.blocked is not None
