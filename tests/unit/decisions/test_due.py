"""The due date of a secret: one formula for the engine, the sweep and the views."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rotation.decisions.due import Dated, due_at, last_rotation
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Operation, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.targets import Enrolment

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DAY = timedelta(days=1)
ACCOUNT = AccountId("s", "g", "n")
TARGET = TargetId("https://kv", "ai-key")
SPREAD = Policy(spread=DAY)
ENROLMENT = Enrolment(ACCOUNT, validity=90 * DAY)
SECRET = Dated(TARGET, ENROLMENT, None, NOW, Record(ACCOUNT, "salt"), Policy(spread=timedelta()))


def rotated(
    at: datetime, expires: datetime | None = None, purpose: Purpose = Purpose.ROTATE
) -> Record:
    """Return a record in which the secret was published at ``at``."""
    done = Operation(
        "op",
        purpose,
        "r",
        "q",
        at,
        at,
        Slot.KEY1,
        DAY,
        3,
        expires=expires,
        puts={str(TARGET): PublishedVersion("v1", at)},
    )
    return Record(ACCOUNT, "salt", phase=Phase.IDLE, history=(done,))


class TestExpiry:
    def test_one_that_we_did_not_write_counts_until_our_first_publish(self) -> None:
        soon = replace(SECRET, expires=NOW + 40 * DAY)
        assert due_at(soon) == NOW + 10 * DAY
        ours = replace(soon, record=rotated(NOW - DAY, NOW + 89 * DAY))
        assert due_at(ours) == NOW + 60 * DAY
        lost = replace(soon, enrolment=Enrolment(ACCOUNT, validity=90 * DAY, rotation="op"))
        assert due_at(lost) == NOW + 60 * DAY

    def test_one_that_we_wrote_counts(self) -> None:
        expires = NOW + 50 * DAY
        assert (
            due_at(replace(SECRET, expires=expires, record=rotated(NOW, expires))) == NOW + 20 * DAY
        )

    def test_a_later_one_than_the_validity_allows_does_not(self) -> None:
        assert due_at(replace(SECRET, expires=NOW + 3000 * DAY)) == NOW + 60 * DAY

    def test_without_one_a_key_of_unknown_age_is_due_at_once(self) -> None:
        assert due_at(SECRET) <= NOW
        assert due_at(replace(SECRET, record=rotated(NOW))) == NOW + 60 * DAY


class TestBounds:
    @pytest.mark.parametrize(
        ("days", "due_in"), [(1, 14 - 14 / 3), (14, 14 - 14 / 3), (30, 20), (90, 60), (365, 335)]
    )
    def test_the_lead_is_at_most_a_third_of_the_validity(self, days: int, due_in: float) -> None:
        enrolment = Enrolment(ACCOUNT, validity=days * DAY)
        found = due_at(replace(SECRET, enrolment=enrolment, expires=NOW + 3000 * DAY))
        assert abs(found - NOW - due_in * DAY) < timedelta(seconds=1)

    def test_nothing_is_due_within_seven_days_of_the_last_rotation(self) -> None:
        expired = replace(SECRET, expires=NOW - DAY, record=rotated(NOW - DAY, NOW - DAY))
        assert due_at(expired) == NOW + 6 * DAY

    def test_without_a_record_seven_days_count_from_the_birth_of_our_key(self) -> None:
        ours = Enrolment(ACCOUNT, validity=90 * DAY, rotation="op")
        assert last_rotation(replace(SECRET, enrolment=ours)) == NOW
        assert last_rotation(SECRET) is None

    def test_a_repair_is_not_a_rotation(self) -> None:
        repaired = rotated(NOW, purpose=Purpose.REPAIR)
        assert last_rotation(replace(SECRET, record=repaired)) is None


class TestSpread:
    def _admitted(self, expires: datetime | None) -> Dated:
        members = {str(TARGET): Member(NOW)}
        record = msgspec.structs.replace(SECRET.record, members=members)
        return replace(SECRET, expires=expires, record=record, policy=SPREAD)

    def test_a_first_rotation_is_spread_over_seven_times_the_spread(self) -> None:
        assert NOW < due_at(self._admitted(NOW + 10 * DAY)) < NOW + 7 * DAY
        assert NOW < due_at(self._admitted(None)) < NOW + 7 * DAY

    def test_unless_the_secret_expires_before(self) -> None:
        assert due_at(self._admitted(NOW - DAY)) < NOW
        assert due_at(self._admitted(NOW + timedelta(hours=26))) == NOW

    def test_a_long_standing_member_is_not_delayed(self) -> None:
        later = msgspec.structs.replace(
            SECRET.record, members={str(TARGET): Member(NOW - 30 * DAY)}
        )
        found = replace(SECRET, expires=NOW - DAY, record=later, policy=SPREAD)
        assert due_at(found) < NOW
