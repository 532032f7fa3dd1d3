"""The policy, and the effective policy of an account: if secrets disagree, the safer value wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .targets import Target
from .window import Window


class ProbePolicy(StrEnum):
    """The reaction to an inconclusive probe: wait, or trust ARM."""

    REQUIRE = "require"
    ACCEPT = "accept"


@dataclass(frozen=True)
class Policy:
    """The service's defaults and limits; tags on a secret may override the first two."""

    overlap: timedelta = timedelta(hours=26)
    minimum_interval: timedelta = timedelta(days=1)
    lead: timedelta = timedelta(days=30)
    spread: timedelta = timedelta(days=1)
    settle: timedelta = timedelta(minutes=10)
    probe: ProbePolicy = ProbePolicy.REQUIRE
    probe_successes: int = 3
    probe_span: timedelta = timedelta(seconds=30)
    patience: timedelta = timedelta(hours=1)
    daily_cap: int = 8
    max_skew: timedelta = timedelta(seconds=60)
    max_send_age: timedelta = timedelta(seconds=8)


# Key Vault raises SecretNearExpiry 30 days before expiry, at once for shorter lives; the lead is
# fixed. A version that lives no longer would ask for the next rotation as soon as it exists.
NEAR_EXPIRY = timedelta(days=30)

FALLBACK_VALIDITY = timedelta(days=90)


@dataclass(frozen=True)
class EffectivePolicy:
    """The effective policy of an account. ``problems`` and ``paused`` put rotations on hold."""

    validity: timedelta
    overlap: timedelta
    minimum_interval: timedelta
    window: Window | None = None
    paused: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def combine(cls, targets: Iterable[Target], policy: Policy) -> EffectivePolicy:
        """Combine all targets: the shortest validity, the longest overlap and interval."""
        enrolments = [(target.id.name, target.enrolment) for target in targets]
        problems = [f"{name}: {problem}" for name, e in enrolments for problem in e.problems]
        overlap = max((e.overlap or policy.overlap for _, e in enrolments), default=policy.overlap)
        validity = min((e.validity for _, e in enrolments if e.validity), default=FALLBACK_VALIDITY)
        windows = {e.window for _, e in enrolments if e.window}
        if len(windows) > 1:
            problems.append("the secrets of one account have different rotation windows")
        if not problems and (short := too_short(validity, overlap)):
            problems.append(short)
        intervals = (e.minimum_interval or policy.minimum_interval for _, e in enrolments)
        return cls(
            validity=validity,
            overlap=overlap,
            minimum_interval=max(intervals, default=policy.minimum_interval),
            window=next(iter(windows), None),
            paused=tuple(name for name, e in enrolments if e.paused),
            problems=tuple(problems),
        )


def too_short(validity: timedelta, overlap: timedelta) -> str:
    """Return why the validity is too short and the least allowed value, or an empty string."""
    if validity > NEAR_EXPIRY + overlap:
        return ""
    least = (NEAR_EXPIRY + overlap) // timedelta(days=1) + 1
    return (
        f"a validity of {validity.days} days is too short: Key Vault reports near expiry "
        f"30 days before, so every rotation would trigger the next; use at least {least}"
    )
