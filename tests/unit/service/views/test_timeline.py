"""The timeline of an account: when each slot was published, and until when its key worked."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.keys import Slot
from rotation.domain.operation import Phase, Purpose
from rotation.service.replies.secret import NextReply, SpanReply
from rotation.service.views import timeline
from rotation.service.views.timeline import Span

from .shown import ACCOUNT, DAY, HOUR, NOW, REQUEST, emergency, operation, published, record

FIRST = published("first", NOW - 9 * DAY, Slot.KEY1)
SECOND = published("second", NOW - 5 * DAY, Slot.KEY2)
NEVER = operation("never", ended_at=NOW - 7 * DAY)


def test_each_span_ends_with_the_next_publish_and_its_key_with_the_revocation() -> None:
    latest = published("latest", NOW - DAY, Slot.KEY1, ended_at=None, overlap_until=NOW + HOUR)
    shown = record(history=(SECOND, NEVER, FIRST), operation=latest, phase=Phase.OVERLAP)
    assert timeline.spans(shown) == [
        Span(Slot.KEY1, NOW - 9 * DAY, NOW - 5 * DAY, NOW - 4 * DAY, "first"),
        Span(Slot.KEY2, NOW - 5 * DAY, NOW - DAY, NOW + HOUR, "second"),
        Span(Slot.KEY1, NOW - DAY, None, None, "latest"),
    ]


def test_a_repair_revokes_no_key() -> None:
    repair = replace(SECOND, purpose=Purpose.REPAIR)
    assert timeline.spans(record(history=(FIRST, repair)))[0].overlap_until is None


def test_an_account_that_never_published_has_no_span() -> None:
    assert timeline.spans(record(history=(NEVER,))) == []


def test_the_account_is_shown_with_its_operations_and_requests() -> None:
    shown = record(
        history=(FIRST, SECOND),
        operation=operation("now"),
        phase=Phase.VERIFY,
        requests=(REQUEST,),
        waiting="the probe",
        waiting_until=NOW + HOUR,
    )
    found = timeline.build(shown, [], NOW)
    assert (found.account, found.slug, found.at) == (str(ACCOUNT), ACCOUNT.slug, NOW)
    assert found.next == NextReply(what="verify", why="the probe", at=NOW + HOUR)
    assert found.running is not None
    assert found.running.id == "now"
    assert [one.id for one in found.waiting] == ["r-1"]
    assert [one.id for one in found.history] == ["second", "first"]
    assert found.slots.key1 == [
        SpanReply(
            since=NOW - 9 * DAY,
            until=NOW - 5 * DAY,
            overlap_until=NOW - 4 * DAY,
            operation="first",
        )
    ]
    assert [span.operation for span in found.slots.key2] == ["second"]


def test_an_account_at_rest_runs_nothing() -> None:
    found = timeline.build(record(), [], NOW)
    assert (found.running, found.waiting, found.history) == (None, [], [])
    assert found.next.at is UNSET


def test_an_emergency_that_only_its_document_tells_of_waits() -> None:
    assert [one.id for one in timeline.build(record(), [emergency()], NOW).waiting] == ["e-1"]
