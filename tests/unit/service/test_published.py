"""The published version of a secret: the newer of its listing and the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from rotation.domain import tags
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.operation import Operation, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import ObservedVersion, Record
from rotation.domain.targets import ListedSecret
from rotation.service.replies.fleet import SecretState
from rotation.service.views import fleet
from rotation.service.views.published import DEAD, OTHER, current

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TARGET = TargetId("https://kv-a.vault.azure.net", "chat")
ACCOUNT = AccountId("s", "rg", "chat")
LISTED = ListedSecret(
    TARGET,
    ACCOUNT,
    expires=NOW + 5 * DAY,
    created=NOW - 80 * DAY,
    tags={"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "90", "CredentialId": "Key1"},
)


def _operation(created: datetime, slot: Slot = Slot.KEY2, name: str = "op") -> Operation:
    return Operation(
        id=name,
        purpose=Purpose.ROTATE,
        reason="due",
        requester="schedule",
        started_at=created,
        phase_since=created,
        candidate=slot,
        overlap=DAY,
        successes_needed=1,
        expires=created + 90 * DAY,
        puts={str(TARGET): PublishedVersion("v", created)},
        ended_at=created + DAY,
    )


def _record(*history: Operation, **more: object) -> Record:
    known = {Slot.KEY1: "one", Slot.KEY2: "two"}
    return replace(Record(ACCOUNT, "salt", history=history, known_keys=known), **more)


def test_the_record_decides_if_it_knows_a_newer_publish() -> None:
    first, second = _operation(NOW - 2 * DAY), _operation(NOW - DAY, Slot.KEY1, "last")
    found = current(LISTED, _record(first, second))
    enrolment = tags.read(found.tags)
    assert enrolment is not None
    assert (found.created, found.expires) == (NOW - DAY, NOW + 89 * DAY)
    assert (enrolment.claimed, enrolment.rotation) == (Slot.KEY1, "last")
    assert enrolment.validity == 90 * DAY


def test_the_publish_of_the_running_operation_counts() -> None:
    running = replace(_operation(NOW), ended_at=None)
    record = _record(_operation(NOW - DAY), operation=running, phase=Phase.OVERLAP)
    assert current(LISTED, record).created == NOW


def test_a_listing_that_is_not_older_decides() -> None:
    for created in (NOW, NOW + DAY):
        listed = ListedSecret(TARGET, ACCOUNT, created=created, tags=LISTED.tags)
        assert current(listed, _record(_operation(NOW))) is listed
    assert current(LISTED, None) is LISTED
    assert current(LISTED, _record()) is LISTED


def test_a_publish_without_an_expiry_keeps_the_listed_one() -> None:
    record = _record(replace(_operation(NOW), expires=None))
    assert current(LISTED, record).expires == LISTED.expires


def _row(fingerprint: str, **more: object) -> fleet.Row:
    seen = {str(TARGET): ObservedVersion("v", fingerprint)}
    record = _record(_operation(NOW - DAY), **{"published": "two", "seen": seen} | more)
    return fleet.row(LISTED, record, Policy(), NOW)


def test_the_slot_is_that_of_the_key_that_the_secret_showed() -> None:
    assert (_row("two").slot, _row("two").state, _row("two").problems) == (
        Slot.KEY2,
        SecretState.HEALTHY,
        (),
    )
    assert _row("one").slot is Slot.KEY1


def test_a_secret_with_another_key_than_the_published_one_is_not_healthy() -> None:
    other, dead = _row("one"), _row("gone")
    assert (other.state, other.problems, other.why) == (SecretState.DRIFTED, (OTHER,), OTHER)
    assert (dead.state, dead.problems, dead.why) == (SecretState.FAILING, (DEAD,), DEAD)


def test_an_operation_under_way_explains_another_key() -> None:
    running = replace(_operation(NOW), ended_at=None)
    found = _row("one", operation=running, phase=Phase.PUBLISH)
    assert (found.state, found.problems) == (SecretState.ROTATING, ())


def test_a_foreign_or_unknown_value_tells_nothing() -> None:
    foreign = {str(TARGET): ObservedVersion("v", "", foreign=True)}
    record = _record(_operation(NOW - DAY), published="two", seen=foreign)
    assert fleet.row(LISTED, record, Policy(), NOW).state is SecretState.HEALTHY
    assert _row("").state is SecretState.HEALTHY
    assert _row("gone", published=None).state is SecretState.HEALTHY
