"""Replies about emergencies: when one was requested, and when the leaked key was refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.emergency import Emergency, Pin, Verdict
from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.operation import AuditEntry, Purpose
from rotation.domain.record import Failure, Record
from rotation.domain.request import Leaked
from rotation.service.replies.rotation import (
    AuditEntryReply,
    NotRevokedReply,
    RotationReply,
    RotationState,
)
from rotation.service.views import emergency as view

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPEN = Emergency("e-1", AccountId("s", "g", "n"), "salt", Leaked.UNKNOWN, "a test", "ana", NOW)


def closed(verdict: Verdict, *refused: datetime | None) -> Emergency:
    pins = tuple(Pin(slot, "f", refused_at=at) for slot, at in zip(Slot, refused, strict=False))
    return replace(OPEN, pins=pins, verdict=verdict)


def test_the_last_leaked_key_that_is_refused_gives_the_time() -> None:
    found = view.build(closed(Verdict.REFUSED, NOW + 9 * SECOND, NOW + 4 * SECOND))
    assert (found.requested_at, found.refused_at) == (NOW, NOW + 9 * SECOND)


def test_of_several_emergencies_the_first_request_counts() -> None:
    later = replace(closed(Verdict.REFUSED, NOW + 9 * SECOND), at=NOW + SECOND)
    bare = replace(view.build(OPEN), requested_at=UNSET)
    found = view.judged(bare, [later, closed(Verdict.REFUSED, NOW + 4 * SECOND)])
    assert (found.requested_at, found.refused_at) == (NOW, NOW + 9 * SECOND)


def test_without_the_proof_there_is_no_such_time() -> None:
    for one in (OPEN, closed(Verdict.NOT_PROVEN, NOW, None), closed(Verdict.OPEN, NOW)):
        assert view.build(one).refused_at is UNSET


HELD = replace(OPEN, why="held", remedy="do it")


def test_an_emergency_that_no_record_names_tells_everything_about_itself() -> None:
    entry = AuditEntry(NOW, "pinned late")
    found = replace(OPEN, role="Rotation.Emergency", request_id="call-1", verdict=Verdict.CANCELLED)
    assert view.build(replace(found, closed_at=NOW + SECOND, audit=(entry,))) == RotationReply(
        id="e-1",
        account=str(OPEN.account),
        state=RotationState.CANCELLED,
        purpose=Purpose.EMERGENCY,
        phase="idle",
        reason="a test",
        requester="ana",
        role="Rotation.Emergency",
        request_id="call-1",
        leaked=Leaked.UNKNOWN,
        requested_at=NOW,
        ended_at=NOW + SECOND,
        outcome="cancelled",
        audit=(AuditEntryReply(at=NOW, what="pinned late"),),
        revoked=None,
    )


@pytest.mark.parametrize(
    ("verdict", "state", "outcome", "revoked"),
    [
        (Verdict.OPEN, RotationState.WAITING, UNSET, None),
        (Verdict.REFUSED, RotationState.ENDED, "the leaked key is refused", True),
        (
            Verdict.NOT_PROVEN,
            RotationState.ENDED,
            "regenerated, not proven: the leaked key cannot be tried any longer",
            None,
        ),
        (Verdict.CANCELLED, RotationState.CANCELLED, "cancelled", None),
        (Verdict.ABANDONED, RotationState.ENDED, "abandoned", None),
    ],
)
def test_only_a_refused_key_is_called_revoked(
    verdict: Verdict, state: RotationState, outcome: object, revoked: object
) -> None:
    found = view.build(replace(OPEN, verdict=verdict))
    assert (found.state, found.outcome, found.revoked) == (state, outcome, revoked)
    assert found.not_revoked is UNSET


def test_an_open_one_that_is_held_is_not_revoked_and_says_what_to_do() -> None:
    over = closed(Verdict.REFUSED, NOW)
    told = NotRevokedReply(reason="held", remedy="do it")
    for mine in ([HELD], [over, HELD]):
        found = view.judged(view.build(OPEN), mine)
        assert (found.revoked, found.not_revoked) == (False, told)
    again = view.judged(replace(view.build(HELD), refused_at=NOW), [replace(over, why="x")])
    assert (again.revoked, again.not_revoked) == (True, UNSET), "a closed one holds nothing"


def test_one_that_is_not_refused_leaves_all_unproven() -> None:
    found = view.judged(view.build(OPEN), [closed(Verdict.REFUSED, NOW), OPEN])
    assert (found.revoked, found.refused_at) == (None, UNSET)


def test_without_a_document_a_reply_stays_as_it_is() -> None:
    bare = replace(view.build(OPEN), requested_at=UNSET)
    assert view.judged(bare, []) is bare


def test_the_audit_trails_are_merged_in_order_and_nothing_is_repeated() -> None:
    known = (AuditEntryReply(at=NOW + SECOND, what="begins: a leak"),)
    audit = (AuditEntry(NOW + 2 * SECOND, "third"), AuditEntry(NOW, "a leak"))
    found = view.judged(
        replace(view.build(OPEN), audit=known),
        [replace(OPEN, audit=audit), replace(OPEN, audit=(AuditEntry(NOW, "first"),))],
    )
    assert [entry.what for entry in found.audit or ()] == ["first", "begins: a leak", "third"]


def test_an_emergency_whose_document_is_lost_is_not_revoked_unless_it_is_over() -> None:
    why = Permanent("it cannot be read", code="EmergencyUnreadable", remedy="restore it")
    found = view.unreadable(view.build(OPEN), why)
    told = NotRevokedReply(reason="it cannot be read", remedy="restore it")
    assert (found.revoked, found.not_revoked) == (False, told)
    over = replace(view.build(OPEN), ended_at=NOW)
    assert view.unreadable(over, why) is over


ABANDONED = replace(OPEN, verdict=Verdict.ABANDONED)
KEY1, KEY2 = Pin(Slot.KEY1, "f"), Pin(Slot.KEY2, "g")
BORN = Record(OPEN.account, "salt", known_keys={Slot.KEY1: "one", Slot.KEY2: "two"})


def born(**births: datetime) -> Record:
    return replace(BORN, births=births)


@pytest.mark.parametrize(
    ("pins", "leaked", "record", "is_left"),
    [
        ((KEY1,), Leaked.KEY1, born(), True),
        ((KEY1,), Leaked.KEY1, born(one=NOW), True),
        ((KEY1,), Leaked.KEY1, born(one=NOW + SECOND), False),
        ((KEY1,), Leaked.KEY1, born(two=NOW + SECOND), True),
        ((KEY1, KEY2), Leaked.UNKNOWN, born(one=NOW + SECOND), True),
        ((replace(KEY1, gone=True),), Leaked.KEY1, born(), False),
        ((replace(KEY1, refused_at=NOW),), Leaked.KEY1, born(), False),
        ((), Leaked.KEY2, born(two=NOW + SECOND), False),
        ((), Leaked.KEY2, born(one=NOW + SECOND), True),
        ((), Leaked.UNKNOWN, born(one=NOW + SECOND), True),
        ((), Leaked.UNKNOWN, born(one=NOW + SECOND, two=NOW + SECOND), False),
    ],
)
def test_an_abandoned_leak_is_left_until_its_slot_has_a_younger_key(
    pins: tuple[Pin, ...], leaked: Leaked, record: Record, is_left: bool
) -> None:
    found = replace(ABANDONED, pins=pins, leaked=leaked)
    assert view.is_left(found, record) is is_left
    assert not view.is_left(found, None)
    assert not view.is_left(replace(found, verdict=Verdict.REFUSED), record)


def test_a_leak_that_works_is_shown_as_a_failure_of_its_account() -> None:
    assert view.failure(HELD) == Failure("NotRevoked", "NOT REVOKED: held", "do it", NOW)
    found = view.failure(replace(ABANDONED, why="x", remedy="y"))
    assert found.message == "NOT REVOKED: the emergency was abandoned"
    assert found.remedy == "rotate the account's keys, or report the leak again"
