"""The exit status of ``status`` and its warnings."""

from __future__ import annotations

from typing import Any

from rotation.cli.exit_status import ExitStatus
from rotation.cli.health import evaluate, of_secret

HEALTHY = {"status": "ok", "lastSweepAgeSeconds": 60}


def _fleet(*expires_in: float | None, **states: int) -> dict[str, Any]:
    rows = [{"expiresInDays": days} for days in expires_in]
    return {"summary": {"states": states}, "secrets": rows, "problems": []}


def test_a_healthy_fleet_has_no_warnings() -> None:
    assert evaluate(_fleet(90, None, healthy=2), HEALTHY) == (ExitStatus.OK, [])


def test_a_failing_secret_outweighs_warnings_and_comes_first() -> None:
    status, warnings = evaluate(_fleet(failing=1, drifted=2), HEALTHY)
    assert status is ExitStatus.FAILING
    assert warnings == ["1 failing", "2 drifted"]


def test_an_early_expiry_needs_attention() -> None:
    status, warnings = evaluate(_fleet(7, 8), HEALTHY)
    assert status is ExitStatus.ATTENTION
    assert warnings == ["1 expiring within 7 days"]


def test_a_missing_or_late_sweep_needs_attention() -> None:
    for age, text in ((None, "No sweep has run yet"), (7200, "120 minutes ago")):
        health = {"status": "late", "lastSweepAgeSeconds": age}
        status, warnings = evaluate(_fleet(), health)
        assert status is ExitStatus.ATTENTION
        assert text in warnings[0]


def test_one_secrets_state_has_an_exit_status() -> None:
    states = ("healthy", "drifted", "failing")
    expected = [ExitStatus.OK, ExitStatus.ATTENTION, ExitStatus.FAILING]
    assert [of_secret(state) for state in states] == expected
