"""The result of trying a key on the data plane."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProbeResult(StrEnum):
    """What a probe of the data plane proved about a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class ProbeVerdict:
    """A probe's answer and why, in words for a person."""

    result: ProbeResult
    detail: str = ""
