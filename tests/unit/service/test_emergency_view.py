"""Replies about emergencies: when one was requested, and when the leaked key was refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.emergency import Emergency, Pin, Verdict
from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.request import Leaked
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
