"""The reply of ``doctor``."""

from __future__ import annotations

from ...ops import doctor
from .reply import Reply


class FindingReply(Reply, frozen=True, kw_only=True):
    """The result of one check; ``fix`` is the remedy, or empty."""

    check: str
    subject: str
    state: doctor.State
    detail: str
    fix: str


class DiagnosisReply(Reply, frozen=True, kw_only=True):
    """All results; ``verdict`` is the worst of them."""

    verdict: doctor.State
    findings: list[FindingReply]
