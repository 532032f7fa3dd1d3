"""The reply of ``doctor``. Pure."""

from __future__ import annotations

from ...ops.doctor.doctor import Examination
from ...ops.doctor.findings import CheckState
from ..replies.diagnosis import DiagnosisReply, FindingReply


def build(examined: Examination, *, in_parts: bool = False) -> DiagnosisReply:
    """Return all findings; the worst one is the verdict.

    Unless the caller reads them ``in_parts``, say that accounts are left.
    """
    findings = examined.findings if in_parts else [*examined.findings, *examined.rest]
    replies = [
        FindingReply(check=f.check, subject=f.subject, state=f.state, detail=f.detail, fix=f.fix)
        for f in findings
    ]
    states = (CheckState.OK, *(reply.state for reply in replies))
    worst = max(states, key=list(CheckState).index)
    return DiagnosisReply(
        verdict=worst, findings=replies, checked=examined.checked, total=examined.total
    )
