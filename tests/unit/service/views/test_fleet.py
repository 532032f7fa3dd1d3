"""The overview: one row per secret, and the counts of all."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from rotation.domain.keys import Slot
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import Nudge, ObservedVersion
from rotation.service.replies.fleet import (
    LastOperationReply,
    LastSweepReply,
    RowReply,
    SecretState,
    SummaryReply,
)
from rotation.service.views import fleet
from rotation.service.views.fleet import Row
from rotation.service.views.operation import trouble

from .shown import ACCOUNT, DAY, FAILURE, HOUR, LISTED, NOW, TARGET, operation, record

SEEN = {str(TARGET): ObservedVersion("v1", "two")}
KNOWN = {Slot.KEY1: "one", Slot.KEY2: "two"}
POLICY = Policy(spread=0 * DAY)
LAST = operation("last", ended_at=NOW - DAY, outcome="done")


def test_a_row_has_everything_that_is_listed_or_stored() -> None:
    shown = record(
        phase=Phase.OVERLAP,
        operation=operation(),
        history=(operation("older", ended_at=NOW - 2 * DAY), LAST),
        waiting="the overlap",
        waiting_until=NOW + HOUR,
        seen=SEEN,
        known_keys=KNOWN,
        published="two",
        births={"two": NOW - 9 * DAY},
        notes={str(TARGET): "a remark", f"{TARGET}-2": "of another"},
        last_failure=FAILURE,
        nudges={
            "app": Nudge((f"{TARGET}/v1",), None, error="refused"),
            "fine": Nudge((f"{TARGET}/v1",), None),
            "other": Nudge((f"{TARGET}-2/v1",), None, error="refused"),
        },
    )
    told = "app was not asked to read it again: refused"
    assert fleet.row(LISTED, shown, POLICY, NOW) == Row(
        target=TARGET,
        account=ACCOUNT,
        state=SecretState.OVERLAP,
        why=f"a remark; {told}; the overlap",
        next="revoke the old key",
        next_at=NOW + HOUR,
        slot=Slot.KEY2,
        published_at=NOW - 20 * DAY,
        born=NOW - 9 * DAY,
        expires=NOW + 50 * DAY,
        phase=Phase.OVERLAP,
        operation="op-1",
        last=LAST,
        error=FAILURE,
        problems=("a remark", told),
    )


def test_an_account_at_rest_waits_until_it_is_due() -> None:
    found = fleet.row(LISTED, record(), POLICY, NOW)
    assert (found.next, found.next_at) == ("rotate", NOW + 20 * DAY)
    assert (found.operation, found.last, found.error, found.why) == (None, None, None, "")
    waiting = record(waiting="w", waiting_until=NOW + HOUR)
    assert fleet.row(LISTED, waiting, POLICY, NOW).next_at == NOW + HOUR
    busy = record(phase=Phase.VERIFY, operation=operation())
    assert fleet.row(LISTED, busy, POLICY, NOW).next_at is None


def test_an_account_that_was_never_visited_shows_the_tags() -> None:
    found = fleet.row(LISTED, None, POLICY, NOW)
    assert (found.why, found.slot, found.state) == (
        "not visited yet",
        Slot.KEY1,
        SecretState.HEALTHY,
    )


def test_a_block_is_shown_before_a_failure() -> None:
    other = structs.replace(FAILURE, code="Other")
    assert fleet.row(LISTED, record(blocked=FAILURE, last_failure=other), POLICY, NOW).error == (
        FAILURE
    )


def test_a_key_that_was_replaced_is_remarked_unless_an_operation_runs() -> None:
    dead = {"seen": {str(TARGET): ObservedVersion("v1", "gone")}, "published": "two"}
    found = fleet.row(LISTED, record(known_keys=KNOWN, **dead), POLICY, NOW)
    assert "a key that was replaced" in found.why
    busy = record(known_keys=KNOWN, phase=Phase.VERIFY, operation=operation(), **dead)
    assert fleet.row(LISTED, busy, POLICY, NOW).why == ""


def test_a_secret_with_wrong_tags_is_refused() -> None:
    listed = replace(LISTED, account=None, problem="its address is wrong")
    assert fleet.row(listed, record(), POLICY, NOW) == Row(
        TARGET, None, SecretState.REFUSED, "its address is wrong", "correct its tags"
    )


def row(state: SecretState, account: bool = True, **more: object) -> Row:
    return Row(TARGET, ACCOUNT if account else None, state, "", **more)  # type: ignore[arg-type]


def test_the_summary_counts_states_and_has_the_oldest_key_and_the_next_expiry() -> None:
    rows = [
        row(SecretState.HEALTHY, born=NOW - 3 * DAY, expires=NOW + 9 * DAY),
        row(SecretState.HEALTHY, born=NOW - 5 * DAY, expires=NOW + 7.25 * DAY),
        row(SecretState.DUE),
        row(SecretState.REFUSED, False, born=NOW - 99 * DAY, expires=NOW),
    ]
    sweep = LastSweepReply(at=NOW, age_seconds=1, accounts=2, problems=[], stopped="")
    assert fleet.summary(iter(rows), NOW, sweep) == SummaryReply(
        secrets=4,
        accounts=1,
        states={"healthy": 2, "due": 1, "refused": 1},
        oldest_key_days=5.0,
        next_expiry_days=7.2,
        last_sweep=sweep,
    )
    assert fleet.summary([], NOW) == SummaryReply(
        secrets=0,
        accounts=0,
        states={},
        oldest_key_days=None,
        next_expiry_days=None,
        last_sweep=None,
    )


def test_the_reply_has_every_member_of_the_row() -> None:
    shown = Row(
        TARGET,
        ACCOUNT,
        SecretState.DUE,
        "why",
        "rotate",
        NOW,
        Slot.KEY1,
        NOW - DAY,
        NOW - 2 * DAY,
        NOW + 3 * DAY,
        Phase.VERIFY,
        "op-1",
        LAST,
        FAILURE,
        ("a remark",),
    )
    assert fleet.build(shown, NOW) == RowReply(
        vault=TARGET.vault,
        secret="chat",
        account=str(ACCOUNT),
        account_name="chat",
        slug=ACCOUNT.slug,
        state=SecretState.DUE,
        slot=Slot.KEY1,
        published_at=NOW - DAY,
        age_days=2.0,
        expires=NOW + 3 * DAY,
        expires_in_days=3.0,
        next="rotate",
        next_at=NOW,
        why="why",
        phase="verify",
        operation="op-1",
        last_operation=LastOperationReply(
            id="last", purpose="rotate", outcome="done", ended_at=NOW - DAY
        ),
        error=trouble(FAILURE),
        problems=["a remark"],
    )


def test_what_is_not_known_is_null() -> None:
    found = fleet.build(row(SecretState.REFUSED, False), NOW)
    missing = (found.account, found.account_name, found.slug, found.slot, found.published_at)
    assert {*missing, found.age_days, found.expires_in_days, found.last_operation} == {None}
    assert (found.error, found.operation, found.expires) == (None, None, None)
