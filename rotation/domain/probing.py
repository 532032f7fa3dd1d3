"""The result of trying a key on the data plane."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProbeResult(StrEnum):
    """The result of trying a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class ProbeVerdict:
    """The result of a probe and its explanation."""

    result: ProbeResult
    detail: str = ""
