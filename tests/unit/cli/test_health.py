"""Exit statuses, and the order and the selection of secrets."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.cli import health
from rotation.cli.exit_status import CommandError, ExitStatus
from rotation.service.replies.fleet import SecretState


def _row(state: str = "healthy", left: float | None = 90, name: str = "a") -> dict[str, Any]:
    vault = "https://kv.vault.azure.net"
    return {"state": state, "expiresInDays": left, "problems": [], "vault": vault, "secret": name}


@pytest.mark.parametrize(
    ("level", "expected"),
    [("ok", ExitStatus.OK), ("attention", ExitStatus.ATTENTION), ("failing", ExitStatus.FAILING)],
)
def test_the_verdict_of_the_service_decides(level: str, expected: ExitStatus) -> None:
    assert health.of_verdict({"verdict": {"level": level}}) is expected


def test_a_service_without_a_verdict_is_too_old() -> None:
    with pytest.raises(CommandError, match="older") as caught:
        health.of_verdict({})
    assert caught.value.status is ExitStatus.UNREACHABLE


def test_one_secrets_state_has_an_exit_status() -> None:
    states = ("healthy", "drifted", "failing")
    expected = [ExitStatus.OK, ExitStatus.ATTENTION, ExitStatus.FAILING]
    assert [health.of_secret(state) for state in states] == expected


def test_the_worst_come_first_then_the_next_to_expire() -> None:
    rows = [_row(), _row(left=20), _row(left=None), _row("drifted"), _row("failing", name="z")]
    ordered = [(row["state"], row["expiresInDays"]) for row in sorted(rows, key=health.severity)]
    assert ordered == [
        *(("failing", 90), ("drifted", 90)),
        *(("healthy", 20), ("healthy", 90), ("healthy", None)),
    ]


def test_every_state_of_a_managed_secret_has_a_place() -> None:
    assert {*health.SEVERITY} == {*SecretState} - {SecretState.UNMANAGED}


def test_a_secret_needs_attention_for_its_state_a_remark_or_its_expiry() -> None:
    assert not health.is_problem(_row(left=8))
    assert not health.is_problem(_row(left=None))
    assert health.is_problem(_row(left=7))
    assert health.is_problem(_row("unknown"))
    assert health.is_problem(_row() | {"problems": ["a tag is clamped"]})
