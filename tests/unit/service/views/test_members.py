"""Rows of secrets that are not listed with our tags, or whose record cannot be read."""

from __future__ import annotations

from rotation.domain.errors import Permanent, Transient, Unreadable
from rotation.domain.operation import Phase
from rotation.domain.record import Failure
from rotation.service.replies.fleet import SecretState
from rotation.service.views import members
from rotation.service.views.fleet import Row

from .shown import ACCOUNT, DAY, FAILURE, HOUR, LISTED, NOW, TARGET, operation, record

LAST = operation("last", ended_at=NOW)
BUSY = record(
    phase=Phase.OVERLAP,
    operation=operation(),
    history=(operation("older", ended_at=NOW - DAY), LAST),
    waiting="the overlap",
    waiting_until=NOW + HOUR,
    last_failure=FAILURE,
)


def test_a_secret_whose_record_cannot_be_read_fails() -> None:
    exc = Unreadable("name", newer=True)
    assert members.without_record(LISTED, exc, NOW) == Row(
        target=TARGET,
        account=ACCOUNT,
        state=SecretState.FAILING,
        why=exc.advice,
        published_at=NOW - 20 * DAY,
        expires=NOW + 50 * DAY,
        error=Failure("JournalNewer", str(exc), exc.remedy, NOW),
    )


def test_a_member_whose_vault_cannot_be_read_is_unknown() -> None:
    exc = Permanent("refused", code="Forbidden", remedy="grant it")
    found = members.unread(TARGET, BUSY, exc, NOW)
    assert found == Row(
        target=TARGET,
        account=ACCOUNT,
        state=SecretState.UNKNOWN,
        why="refused; grant it",
        phase=Phase.OVERLAP,
        operation="op-1",
        last=LAST,
        error=Failure("Forbidden", "refused", "grant it", NOW),
    )
    idle = members.unread(TARGET, record(), Transient("busy", code="Throttled"), NOW)
    assert (idle.operation, idle.last, idle.phase) == (None, None, Phase.IDLE)
    assert idle.error == Failure("Throttled", "busy", "it will be retried automatically", NOW)


def test_a_member_without_tags_is_shown_by_its_record() -> None:
    note = "its latest version has no tags; the service knows it from its journal"
    assert members.untagged(TARGET, BUSY) == Row(
        target=TARGET,
        account=ACCOUNT,
        state=SecretState.OVERLAP,
        why=f"{note}; the overlap",
        next_at=NOW + HOUR,
        phase=Phase.OVERLAP,
        operation="op-1",
        last=LAST,
        error=FAILURE,
        problems=(note,),
    )
    other = Failure("Other", "m", "r", NOW)
    noted = record(notes={str(TARGET): "a remark"}, blocked=other, last_failure=FAILURE)
    found = members.untagged(TARGET, noted)
    assert (found.why, found.problems, found.error) == ("a remark", ("a remark",), other)
    assert (found.operation, found.last) == (None, None)
