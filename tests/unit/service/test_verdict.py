"""The verdict on all secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rotation.domain.ids import TargetId
from rotation.service.replies.fleet import LastSweepReply, SecretState, VerdictReply
from rotation.service.views.fleet import Row
from rotation.service.views.verdict import is_late, verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = timedelta(minutes=15)
DAY = timedelta(days=1)


def _row(state: SecretState, left: timedelta | None = None, *problems: str) -> Row:
    expires = None if left is None else NOW + left
    return Row(TargetId("kv", "a"), None, state, "", expires=expires, problems=problems)


def _sweep(age: int | None = 60, stopped: str = "") -> LastSweepReply:
    return LastSweepReply(at=NOW, age_seconds=age, accounts=1, problems=[], stopped=stopped)


def _of(*rows: Row, problems: tuple[str, ...] = (), sweep: LastSweepReply | None) -> VerdictReply:
    return verdict(rows, problems, sweep, PERIOD, NOW)


def _reasons(*rows: Row) -> tuple[str, list[str]]:
    found = _of(*rows, sweep=_sweep())
    return found.level, found.reasons


def test_healthy_secrets_give_no_reason() -> None:
    assert _reasons(_row(SecretState.HEALTHY, 90 * DAY), _row(SecretState.OVERLAP)) == ("ok", [])


def test_a_failing_or_expired_secret_is_failing_and_comes_first() -> None:
    rows = [_row(SecretState.DRIFTED), _row(SecretState.HEALTHY, timedelta())]
    assert _reasons(*rows) == ("failing", ["1 expired", "1 drifted"])
    assert _reasons(*rows[:1], _row(SecretState.FAILING)) == ("failing", ["1 failing", "1 drifted"])


def test_unknown_refused_drifted_and_paused_secrets_need_attention() -> None:
    for state in ("unknown", "refused", "drifted", "paused"):
        assert _reasons(_row(SecretState(state))) == ("attention", [f"1 {state}"])


def test_a_secret_that_expires_within_seven_days_needs_attention() -> None:
    rows = [_row(SecretState.HEALTHY, 7 * DAY), _row(SecretState.HEALTHY, 7.1 * DAY)]
    assert _reasons(*rows) == ("attention", ["1 expiring within 7 days"])


def test_a_remark_and_a_problem_of_no_secret_need_attention() -> None:
    assert _reasons(_row(SecretState.HEALTHY, None, "a tag")) == ("attention", ["1 with a remark"])
    found = _of(problems=("kv-b cannot be read",), sweep=_sweep())
    assert (found.level, found.reasons) == ("attention", ["kv-b cannot be read"])


def test_a_missing_late_or_stopped_sweep_needs_attention() -> None:
    for sweep, text in (
        (None, "no sweep has run yet"),
        (_sweep(None), "no sweep has run yet"),
        (_sweep(2701), "45 minutes ago"),
        (_sweep(60, "no token"), "the last sweep stopped: no token"),
    ):
        found = _of(sweep=sweep)
        assert found.level == "attention"
        assert text in found.reasons[0]


def test_a_late_sweep_says_why_it_stopped() -> None:
    found = _of(sweep=_sweep(2701, "no token"))
    assert found.reasons == [
        "the last sweep was 45 minutes ago: is the function app running?",
        "the last sweep stopped: no token",
    ]


def test_a_leaked_key_that_is_not_revoked_is_failing_although_no_row_shows_it() -> None:
    problems = ("kv-b cannot be read", "NOT REVOKED: the document cannot be read")
    found = _of(_row(SecretState.PAUSED), problems=problems, sweep=_sweep())
    assert found.level == "failing"
    assert found.reasons == [problems[1], "1 paused", problems[0]]
    named = _of(problems=("chat: NOT REVOKED: key authentication is off",), sweep=_sweep())
    assert named.level == "failing"


def test_a_sweep_is_late_after_three_periods_of_at_least_a_quarter_of_an_hour() -> None:
    assert not is_late(2700, timedelta(minutes=1))
    assert is_late(2701, timedelta(minutes=1))
    assert not is_late(3 * 3600, timedelta(hours=1))
    assert is_late(3 * 3600 + 1, timedelta(hours=1))
    assert is_late(None, PERIOD)
