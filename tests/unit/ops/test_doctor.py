"""The doctor's findings and its fixes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.policy import Policy
from rotation.ops.doctor.doctor import Examination, settings_findings
from rotation.ops.doctor.findings import CheckState, Finding, attempt, unknown
from rotation.ops.doctor.permissions import grant_command
from rotation.service.views import diagnosis

SCOPE = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"


async def test_a_check_that_succeeds_is_ok_with_its_detail() -> None:
    async def read() -> str:
        return "readable"

    assert await attempt("journal", "", read) == Finding("journal", "", CheckState.OK, "readable")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (Permanent("403", code="NotAllowed", remedy="grant it"), "grant it"),
        (Transient("503"), "Try again."),
    ],
)
async def test_a_check_that_fails_has_a_fix(error: RotationError, fix: str) -> None:
    async def read() -> str:
        raise error

    assert await attempt("vault", "kv", read) == Finding(
        "vault", "kv", CheckState.FAILED, str(error), fix
    )


def test_a_check_without_permission_is_unknown_and_names_the_role() -> None:
    finding = unknown("policy", "kv", "403")
    assert finding.state is CheckState.UNKNOWN
    assert "grant Reader on the vault" in finding.fix


def test_the_command_that_grants_a_role_names_it_as_the_deployment_does() -> None:
    command = grant_command("object-1", "Secret publisher", SCOPE)
    assert '--assignee object-1 --role "Secret publisher (s-1)"' in command
    assert command.endswith(f"--scope {SCOPE}")


def test_a_setting_that_counts_as_another_value_is_a_warning() -> None:
    (found,) = settings_findings(Policy(overlap=timedelta(days=90)))
    assert found.state is CheckState.WARNING
    assert "counts as 7 days" in found.detail
    assert settings_findings(Policy()) == []


def test_accounts_that_are_left_to_the_next_part_are_told_to_a_caller_who_reads_one() -> None:
    part = Examination([Finding("identity", "", CheckState.OK)], 2, 5)
    assert [f.state for f in diagnosis.build(part).findings] == [CheckState.OK, CheckState.UNKNOWN]
    assert diagnosis.build(part).verdict is CheckState.UNKNOWN
    assert "3 more accounts" in diagnosis.build(part).findings[1].detail
    in_parts = diagnosis.build(part, in_parts=True)
    assert (in_parts.verdict, in_parts.checked, in_parts.total) == (CheckState.OK, 2, 5)
    assert diagnosis.build(Examination([], 5, 5), in_parts=True).verdict is CheckState.OK
