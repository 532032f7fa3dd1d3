"""The reply of ``doctor``. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...ops.doctor.findings import CheckState, Finding
from ..replies.diagnosis import DiagnosisReply, FindingReply


def build(findings: Iterable[Finding]) -> DiagnosisReply:
    """Return all findings; the worst one is the verdict. Raises ValueError if there are none."""
    replies = [
        FindingReply(check=f.check, subject=f.subject, state=f.state, detail=f.detail, fix=f.fix)
        for f in findings
    ]
    worst = max((reply.state for reply in replies), key=list(CheckState).index)
    return DiagnosisReply(verdict=worst, findings=replies)
