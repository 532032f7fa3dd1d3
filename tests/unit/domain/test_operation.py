"""The audit trail and the versions of an operation, and the records of earlier releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.domain import legacy
from rotation.domain.keys import Slot
from rotation.domain.operation import (
    ANOTHER_WRITER,
    AUDIT,
    BY_POLICY,
    Attempt,
    AuditEntry,
    Ending,
    Operation,
    Phase,
    PublishedVersion,
    Purpose,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def operation(*audit: str, **others: Any) -> Operation:
    usual = Operation(
        id="a",
        purpose=Purpose.ROTATE,
        reason="r",
        requester="alice",
        started_at=NOW,
        phase_since=NOW,
        candidate=Slot.KEY1,
        overlap=timedelta(hours=26),
        successes_needed=3,
        audit=tuple(AuditEntry(NOW, what) for what in audit),
    )
    return replace(usual, **others)


def test_a_full_audit_trail_drops_its_second_line() -> None:
    full = operation(*(str(number) for number in range(AUDIT)))
    assert [entry.what for entry in full.noting(LATER, "new").audit] == [
        "0",
        *(str(number) for number in range(2, AUDIT)),
        "new",
    ]
    assert full.noting(LATER, "new").audit[-1] == AuditEntry(LATER, "new")


def test_an_audit_trail_with_room_for_one_line_drops_none() -> None:
    almost = operation(*(str(number) for number in range(AUDIT - 1)))
    assert len(almost.audited(LATER, "new")) == AUDIT
    assert almost.audited(LATER, "new")[:-1] == almost.audit


def test_a_version_that_follows_another_counts_from_the_first() -> None:
    first = PublishedVersion("v1", NOW).following(None)
    assert first == PublishedVersion("v1", NOW, first=NOW, times=1)
    second = PublishedVersion("v2", LATER).following(first)
    assert second == PublishedVersion("v2", LATER, first=NOW, times=2)
    third = PublishedVersion("v3", LATER + timedelta(hours=1)).following(second)
    assert (third.first, third.times) == (NOW, 3)


def test_a_version_of_an_earlier_release_is_its_own_first() -> None:
    old = PublishedVersion("v1", NOW)
    assert PublishedVersion("v2", LATER).following(old).first == NOW


@pytest.mark.parametrize(("code", "expected"), [(ANOTHER_WRITER, True), (BY_POLICY, False)])
def test_an_attempt_is_overwritten_if_there_is_another_writer(code: str, expected: bool) -> None:
    assert Attempt(NOW, NOW, code).overwritten is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (operation(), False),
        (operation("rotate begins in regenerate: x"), False),
        (operation(regenerated_at=NOW), True),
        (operation("begun", "regenerate Key1"), True),
        (operation(*["line"] * (AUDIT - 1)), False),
        (operation(*["line"] * AUDIT), True),
    ],
)
def test_a_regenerate_may_have_been_sent_if_the_record_does_not_exclude_it(
    found: Operation, expected: bool
) -> None:
    assert legacy.may_have_regenerated(found) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (operation(), None),
        (operation("rotate begins in verify: because"), Phase.VERIFY),
        (operation("rotate begins in regenerate: because"), Phase.REGENERATE),
        (operation("rotate begins in nowhere: because"), None),
        (operation("other", "rotate begins in verify: because"), None),
        (operation("rotate begins in verify: x", "rotate begins in publish: x"), Phase.VERIFY),
        (operation("rotate begins in verify: x", began_in=Phase.PUBLISH), Phase.PUBLISH),
        (operation(began_in=Phase.PUBLISH), Phase.PUBLISH),
    ],
)
def test_the_first_phase_is_stored_or_read_from_the_first_audit_line(
    found: Operation, expected: Phase | None
) -> None:
    assert legacy.began_in(found) is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, Ending.DONE),
        ({"outcome": "done"}, Ending.DONE),
        ({"outcome": "abandoned: by alice"}, Ending.ABANDONED),
        ({"outcome": "cancelled by alice"}, Ending.CANCELLED),
        ({"outcome": "something else"}, Ending.DONE),
        ({"outcome": "abandoned", "ending": Ending.OVERTAKEN}, Ending.OVERTAKEN),
        ({"outcome": "done", "proof": legacy.REFUSED}, Ending.DONE),
        ({"outcome": "done", "proof": legacy.NOT_PROVEN}, Ending.NOT_PROVEN),
        ({"outcome": "done", "proof": legacy.NOT_PROVEN, "proven": True}, Ending.DONE),
        ({"outcome": "abandoned", "proof": legacy.NOT_PROVEN}, Ending.ABANDONED),
    ],
)
def test_the_ending_is_stored_or_read_from_the_outcome(
    members: dict[str, Any], expected: Ending
) -> None:
    assert legacy.ending(operation(**members)) is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, False),
        ({"proven": True}, True),
        ({"proof": legacy.REFUSED}, True),
        ({"proof": legacy.NOT_PROVEN}, False),
    ],
)
def test_a_revocation_is_proven_only_if_the_old_key_was_refused(
    members: dict[str, Any], expected: bool
) -> None:
    assert legacy.is_proven(operation(**members)) is expected
