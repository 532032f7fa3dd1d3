"""The due date of a secret: one formula for the engine, the sweep and the views."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec import UNSET

from rotation.decisions.due import Dated, counting_expiry, due_at, last_rotation, of_listing
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Operation, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.targets import Enrolment, ListedSecret

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = datetime.fromtimestamp(0, UTC)
ACCOUNT = AccountId("s1", "rg-a", "acct-a")
TARGET = TargetId("https://kv", "ai-key")
SPREAD = Policy(spread=DAY)
ENROLMENT = Enrolment(ACCOUNT, validity=90 * DAY)
SECRET = Dated(TARGET, ENROLMENT, None, NOW, Record(ACCOUNT, "salt"), Policy(spread=timedelta()))


def rotated(
    at: datetime,
    expires: datetime | None = None,
    purpose: Purpose = Purpose.ROTATE,
    target: str = str(TARGET),
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
        puts={target: PublishedVersion("v1", at)},
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

    def test_one_that_was_edited_after_the_enrolment_does_not_count(self) -> None:
        soon = replace(SECRET, expires=NOW + 40 * DAY)
        for expires, due in ((soon.expires, 10), (NOW + 80 * DAY, 60), (None, 60), (UNSET, 10)):
            member = Member(NOW - 30 * DAY, expires=expires)
            record = Record(ACCOUNT, "salt", members={str(SECRET.secret): member})
            assert due_at(replace(soon, record=record)) == NOW + due * DAY

    def test_nor_does_removing_it_make_the_secret_due(self) -> None:
        for expires, due in ((NOW + 80 * DAY, 60), (None, 0)):
            members = {str(SECRET.secret): Member(NOW - 30 * DAY, expires=expires)}
            record = Record(ACCOUNT, "salt", members=members)
            assert due_at(replace(SECRET, record=record)) == NOW + due * DAY

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


class TestWantedAt:
    """The older of validity and expiry, less the lead and a part of the spread."""

    def test_a_record_of_the_rotation_makes_the_birth_count(self) -> None:
        ours = replace(SECRET, record=rotated(NOW - 10 * DAY), birth=NOW - 5 * DAY)
        assert due_at(ours) == NOW + 55 * DAY

    def test_a_key_of_known_birth_that_we_never_rotated_is_due_at_once(self) -> None:
        assert due_at(replace(SECRET, birth=NOW - DAY)) == NOW - DAY

    def test_without_birth_and_expiry_too(self) -> None:
        assert due_at(replace(SECRET, birth=None)) == LONG_AGO
        assert due_at(replace(SECRET, birth=None, record=rotated(NOW))) == NOW + 7 * DAY

    def test_with_an_expiry_but_without_a_birth_the_expiry_counts(self) -> None:
        assert due_at(replace(SECRET, birth=None, expires=NOW + 40 * DAY)) == NOW + 10 * DAY

    def test_one_whose_expiry_does_not_count_and_whose_birth_is_unknown_is_due(self) -> None:
        lost = replace(ENROLMENT, rotation="op")
        found = replace(SECRET, birth=None, expires=NOW + 40 * DAY, enrolment=lost)
        assert due_at(found) == LONG_AGO

    @pytest.mark.parametrize(("lead", "due_in"), [(10, 80), (30, 60), (31, 60)])
    def test_the_lead_is_that_of_the_policy_up_to_a_third(self, lead: int, due_in: int) -> None:
        policy = Policy(spread=timedelta(), lead=lead * DAY)
        found = replace(SECRET, record=rotated(NOW), policy=policy)
        assert due_at(found) == NOW + due_in * DAY

    def test_a_part_of_the_spread_makes_it_earlier(self) -> None:
        record = rotated(NOW)
        part = (NOW + 60 * DAY - due_at(replace(SECRET, record=record, policy=SPREAD))) / DAY
        assert 0 < part < 1
        double = replace(SECRET, record=record, policy=Policy(spread=2 * DAY))
        assert abs((NOW + 60 * DAY - due_at(double)) / DAY - 2 * part) < 1e-6
        wide = replace(SECRET, record=record, policy=Policy(spread=365 * DAY))
        assert abs((NOW + 60 * DAY - due_at(wide)) / DAY - 30 * part) < 1e-6

    def test_each_secret_has_its_own_part_that_never_changes(self) -> None:
        names = [TargetId("https://kv", f"secret-{number}") for number in range(50)]
        found = [
            due_at(replace(SECRET, secret=n, record=rotated(NOW), policy=SPREAD)) for n in names
        ]
        parts = [(NOW + 60 * DAY - at) / DAY for at in found]
        assert all(0 <= part < 1 for part in parts)
        assert max(parts) - min(parts) > 0.8
        upper = TargetId("https://KV", "SECRET-1")
        again = replace(SECRET, secret=upper, record=rotated(NOW), policy=SPREAD)
        assert due_at(again) == found[1]


class TestCountingExpiry:
    def test_seconds_count_but_not_their_parts(self) -> None:
        expires = NOW + 50 * DAY
        record = rotated(NOW, expires + timedelta(microseconds=5))
        assert counting_expiry(replace(SECRET, expires=expires, record=record)) == expires
        other = replace(SECRET, expires=expires + timedelta(seconds=1), record=record)
        assert counting_expiry(other) is None

    def test_one_that_we_wrote_on_another_secret_does_not(self) -> None:
        record = rotated(NOW, NOW + 50 * DAY, target="https://kv/secrets/other")
        ours = replace(SECRET, expires=NOW + 50 * DAY, record=record)
        tagged = replace(ours, enrolment=replace(ENROLMENT, rotation="op"))
        assert counting_expiry(ours) == NOW + 50 * DAY, "we have not published there yet"
        assert counting_expiry(tagged) is None

    def test_one_of_the_running_operation_counts(self) -> None:
        running = rotated(NOW, NOW + 50 * DAY).history[0]
        record = Record(ACCOUNT, "salt", phase=Phase.OVERLAP, operation=running)
        tagged = replace(ENROLMENT, rotation="op")
        found = replace(SECRET, expires=NOW + 50 * DAY, record=record, enrolment=tagged)
        assert counting_expiry(found) == NOW + 50 * DAY

    def test_without_one_there_is_none(self) -> None:
        assert counting_expiry(SECRET) is None
        removed = replace(SECRET, record=rotated(NOW, NOW + 50 * DAY))
        assert counting_expiry(removed) is None

    def test_one_that_we_wrote_counts_although_the_secret_was_enrolled_with_another(self) -> None:
        expires = NOW + 50 * DAY
        members = {str(TARGET): Member(NOW - 30 * DAY, expires=NOW)}
        record = msgspec.structs.replace(rotated(NOW, expires), members=members)
        assert counting_expiry(replace(SECRET, expires=expires, record=record)) == expires

    def test_a_secret_without_our_tags_was_not_published(self) -> None:
        found = replace(SECRET, enrolment=None, expires=NOW + DAY)
        assert counting_expiry(found) == NOW + DAY


class TestStaggered:
    def test_the_wait_after_admission_is_seven_times_the_part_of_the_spread(self) -> None:
        members = {str(TARGET): Member(NOW)}
        record = msgspec.structs.replace(rotated(NOW - 90 * DAY), members=members)
        found = replace(SECRET, birth=NOW - 90 * DAY, record=record, policy=SPREAD)
        later = msgspec.structs.replace(record, members={})
        part = due_at(replace(found, record=later)) - (NOW - 30 * DAY)
        assert abs((due_at(found) - NOW) / DAY + 7 * (part / DAY)) < 1e-6

    def test_an_expiry_less_the_overlap_is_earlier(self) -> None:
        members = {str(TARGET): Member(NOW + 20 * DAY)}
        record = msgspec.structs.replace(SECRET.record, members=members)
        soon = replace(SECRET, expires=NOW + 5 * DAY, record=record)
        assert due_at(soon) == NOW + 5 * DAY - timedelta(hours=26)


class TestLastRotation:
    def test_it_is_the_last_first_publish(self) -> None:
        old, new = (rotated(NOW - days * DAY).history[0] for days in (9, 4))
        for history in ((old, new), (new, old)):
            record = Record(ACCOUNT, "salt", history=history)
            assert last_rotation(replace(SECRET, record=record)) == NOW - 4 * DAY

    def test_the_first_secret_of_an_operation_counts(self) -> None:
        done = rotated(NOW - 2 * DAY).history[0]
        puts = {**done.puts, "other": PublishedVersion("v1", NOW - 3 * DAY)}
        record = Record(ACCOUNT, "salt", history=(msgspec.structs.replace(done, puts=puts),))
        assert last_rotation(replace(SECRET, record=record)) == NOW - 3 * DAY

    @pytest.mark.parametrize(
        ("purpose", "counts"),
        [
            (Purpose.ROTATE, True),
            (Purpose.EMERGENCY, True),
            (Purpose.REPAIR, False),
            (Purpose.FINISH, False),
        ],
    )
    def test_rotations_and_emergencies_count(self, purpose: Purpose, counts: bool) -> None:
        found = last_rotation(replace(SECRET, record=rotated(NOW - DAY, purpose=purpose)))
        assert found == (NOW - DAY if counts else None)

    @pytest.mark.parametrize("overlap", [None, NOW])
    def test_one_that_published_nothing_counts_only_if_it_reached_the_overlap(
        self, overlap: datetime | None
    ) -> None:
        done = rotated(NOW - DAY).history[0]
        done = msgspec.structs.replace(done, puts={}, overlap_until=overlap)
        record = Record(ACCOUNT, "salt", history=(done,))
        found = last_rotation(replace(SECRET, record=record))
        assert found == (NOW - DAY if overlap else None)

    def test_the_running_one_counts(self) -> None:
        running = rotated(NOW - DAY).history[0]
        record = Record(ACCOUNT, "salt", operation=running, history=rotated(NOW - 9 * DAY).history)
        assert last_rotation(replace(SECRET, record=record)) == NOW - DAY

    def test_so_do_the_former_ones_while_one_runs_that_has_not_published(self) -> None:
        history = rotated(NOW - 9 * DAY).history
        running = msgspec.structs.replace(history[0], puts={})
        record = Record(ACCOUNT, "salt", operation=running, history=history)
        assert last_rotation(replace(SECRET, record=record)) == NOW - 9 * DAY

    def test_without_a_history_a_publish_that_the_record_remembers_makes_the_key_ours(self) -> None:
        record = Record(ACCOUNT, "salt", published_at=NOW - DAY)
        assert last_rotation(replace(SECRET, record=record)) == NOW
        assert last_rotation(replace(SECRET, record=record, birth=None)) is None

    def test_a_secret_that_is_not_enrolled_was_never_rotated(self) -> None:
        assert last_rotation(replace(SECRET, enrolment=None)) is None


class TestListing:
    """A listed secret: its latest version stands in for a birth that the record lacks."""

    LISTED = ListedSecret(
        TARGET,
        ACCOUNT,
        expires=NOW + 40 * DAY,
        created=NOW - DAY,
        tags={"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "60"},
    )

    def test_it_keeps_what_is_listed(self) -> None:
        found = of_listing(self.LISTED, None, SPREAD)
        assert (found.secret, found.expires, found.birth) == (TARGET, NOW + 40 * DAY, NOW - DAY)
        assert found.enrolment is not None
        assert (found.enrolment.validity, found.policy) == (60 * DAY, SPREAD)
        assert (found.record.account, found.record.history) == (ACCOUNT, ())

    def test_the_birth_of_the_published_key_is_that_of_the_record(self) -> None:
        births = {"f-1": NOW - 9 * DAY, "": NOW - 8 * DAY}
        record = Record(ACCOUNT, "salt", births=births, published="f-1")
        assert of_listing(self.LISTED, record, SPREAD).birth == NOW - 9 * DAY
        assert of_listing(self.LISTED, record, SPREAD).record is record
        unknown = Record(ACCOUNT, "salt", births={"f-2": NOW}, published="f-1")
        assert of_listing(self.LISTED, unknown, SPREAD).birth == NOW - DAY

    def test_a_secret_that_is_not_enrolled_has_no_due_date(self) -> None:
        with pytest.raises(ValueError, match="not enrolled"):
            of_listing(replace(self.LISTED, account=None), None, SPREAD)
