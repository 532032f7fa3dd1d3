"""The reply of ``doctor``."""

from __future__ import annotations

from ...ops.doctor.findings import CheckState
from .reply import Reply


class FindingReply(Reply, frozen=True, kw_only=True):
    """The result of one check; ``fix`` is the remedy, or empty."""

    check: str
    subject: str
    state: CheckState
    detail: str
    fix: str


class DiagnosisReply(Reply, frozen=True, kw_only=True):
    """The results; ``verdict`` is the worst of them.

    ``checked`` of ``total`` accounts are done. If not all are, ask again with ``done``.
    """

    verdict: CheckState
    findings: list[FindingReply]
    checked: int
    total: int
