"""A failed step is recorded, retried after a delay, and notified once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.ids import AccountId
from rotation.domain.record import OUTBOX, Notification, Record
from rotation.engine import failures
from tests.unit.decisions.account import rotation

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ACCOUNT = AccountId.parse(
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
    "/providers/Microsoft.CognitiveServices/accounts/aoai-demo"
)
BUSY = Transient("the vault is busy", code="Throttled")
FORBIDDEN = Permanent("not allowed", code="Forbidden", remedy="grant the role")


def after(*errors: RotationError) -> Record:
    record = Record(ACCOUNT, "salt")
    for number, error in enumerate(errors):
        record = failures.record_failure(record, error, NOW + timedelta(minutes=number))
    return record


@pytest.mark.parametrize(
    ("failed", "seconds"), [(0, 5), (1, 10), (4, 80), (8, 15 * 60), (10**6, 15 * 60)]
)
def test_the_delay_doubles_up_to_15_minutes(failed: int, seconds: int) -> None:
    assert failures.delay(failed) == timedelta(seconds=seconds)


def test_a_transient_failure_is_notified_the_third_time() -> None:
    assert after(BUSY, BUSY).outbox == ()
    assert len(after(BUSY, BUSY, BUSY).outbox) == 1
    assert len(after(BUSY, BUSY, BUSY, BUSY).outbox) == 1


def test_a_permanent_failure_is_notified_once_and_waits_for_15_minutes() -> None:
    record = after(FORBIDDEN, FORBIDDEN)
    (notification,) = record.outbox
    assert notification.data["remedy"] == "grant the role"
    assert record.waiting == "not allowed; grant the role"
    assert record.waiting_until == NOW + timedelta(minutes=1) + failures.LONGEST


def test_a_failure_keeps_the_time_when_it_was_first_seen() -> None:
    found = after(BUSY, BUSY).last_failure
    assert found is not None
    assert found.since == NOW


def test_a_different_failure_counts_from_its_own_time() -> None:
    found = after(BUSY, FORBIDDEN).last_failure
    assert found is not None
    assert (found.code, found.since) == ("Forbidden", NOW + timedelta(minutes=1))


def test_a_permanent_failure_that_goes_on_is_not_notified_again() -> None:
    assert len(after(*[FORBIDDEN] * (failures.ALARM_AFTER + 1)).outbox) == 1


def test_another_permanent_failure_is_notified_too() -> None:
    gone = Permanent("gone", code="NotFound", remedy="restore it")
    record = after(FORBIDDEN, gone)
    assert [one.data["code"] for one in record.outbox] == ["Forbidden", "NotFound"]
    assert record.failures == 2


def pause(record: Record) -> timedelta:
    assert record.waiting_until is not None
    return record.waiting_until - NOW


def test_a_transient_failure_waits_longer_each_time_and_as_long_as_azure_asked() -> None:
    assert timedelta(seconds=2.5) <= pause(after(BUSY)) <= timedelta(seconds=5)
    many = failures.record_failure(Record(ACCOUNT, "salt", failures=99), BUSY, NOW)
    assert timedelta(minutes=7.5) <= pause(many) <= timedelta(minutes=15)
    asked = Transient("busy", code="Throttled", retry_after=timedelta(hours=2))
    assert pause(after(asked)) - timedelta(hours=2) == pause(after(BUSY))


def test_accounts_that_fail_together_do_not_come_back_together() -> None:
    accounts = [AccountId("s", "g", f"account-{number}") for number in range(100)]
    records = [failures.record_failure(Record(a, "salt"), BUSY, NOW) for a in accounts]
    waits = sorted(pause(record) for record in records)
    assert waits[0] < timedelta(seconds=3) < timedelta(seconds=4.5) < waits[-1]
    assert len(set(waits)) > 50


def test_an_account_waits_equally_long_in_every_process() -> None:
    waits = [pause(after(*[BUSY] * n)) - timedelta(minutes=n - 1) for n in (1, 2, 3)]
    assert [wait.total_seconds() for wait in waits] == [3.696078, 9.54902, 17.058824]


def test_a_notification_names_the_operation_or_the_account() -> None:
    idle = Record(ACCOUNT, "salt")
    (notice,) = failures.record_failure(idle, FORBIDDEN, NOW).outbox
    assert notice.data == {
        "account": str(ACCOUNT),
        "operation": ACCOUNT.slug,
        "code": "Forbidden",
        "error": "not allowed",
        "remedy": "grant the role",
    }
    (notice,) = failures.record_failure(replace(idle, operation=rotation()), FORBIDDEN, NOW).outbox
    assert (notice.data["operation"], notice.at) == ("op-1", NOW)
    assert notice.id.startswith("op-1-failed-Forbidden-")


def test_an_outbox_keeps_its_newest_notifications() -> None:
    old = tuple(Notification(f"n-{number}", "x", NOW, {}) for number in range(OUTBOX))
    found = failures.record_failure(Record(ACCOUNT, "salt", outbox=old), FORBIDDEN, NOW).outbox
    assert found[:-1] == old[1:]
    assert found[-1].type == "failed"
