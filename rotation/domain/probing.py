"""The result of trying a key on the data plane."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class ProbeResult(StrEnum):
    """The meaning of one answer for a key.

    ``ANSWERED``: not refused, but other than 2xx. It says something only if the same call refuses
    a random key. ``INCONCLUSIVE``: it says nothing about any key.
    """

    ACCEPTED = "accepted"
    ANSWERED = "answered"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class ProbeVerdict:
    """The result of a probe, its explanation, and how long the service asked to wait."""

    result: ProbeResult
    detail: str = ""
    retry_after: timedelta | None = None


def accepts(verdict: ProbeVerdict, control: ProbeVerdict) -> bool:
    """Return whether a key is proven to be accepted; ``control`` is that of a random key."""
    passed = verdict.result in (ProbeResult.ACCEPTED, ProbeResult.ANSWERED)
    return passed and control.result is ProbeResult.REFUSED
