"""The findings of ``doctor``, and the worst of them."""

from __future__ import annotations

import pytest

from rotation.ops.doctor.doctor import Examination
from rotation.ops.doctor.findings import CheckState, Finding
from rotation.service.replies.diagnosis import DiagnosisReply, FindingReply
from rotation.service.views import diagnosis

FAILED = Finding("vault", "kv", CheckState.FAILED, "refused", "grant it")
FINE = Finding("account", "acct", CheckState.OK)


def test_every_finding_is_told_and_the_worst_is_the_verdict() -> None:
    assert diagnosis.build(Examination([FINE, FAILED, FINE], 3, 3)) == DiagnosisReply(
        verdict=CheckState.FAILED,
        findings=[
            FindingReply(check="account", subject="acct", state=CheckState.OK, detail="", fix=""),
            FindingReply(
                check="vault",
                subject="kv",
                state=CheckState.FAILED,
                detail="refused",
                fix="grant it",
            ),
            FindingReply(check="account", subject="acct", state=CheckState.OK, detail="", fix=""),
        ],
        checked=3,
        total=3,
    )


def test_without_a_finding_all_is_well() -> None:
    assert diagnosis.build(Examination([], 0, 0)).verdict is CheckState.OK


@pytest.mark.parametrize("in_parts", [True, False])
def test_accounts_that_are_left_are_a_finding_unless_the_caller_goes_on(in_parts: bool) -> None:
    found = diagnosis.build(Examination([FINE], 1, 3), in_parts=in_parts)
    assert (found.checked, found.total, len(found.findings)) == (1, 3, 1 if in_parts else 2)
    assert found.verdict is (CheckState.OK if in_parts else CheckState.UNKNOWN)
