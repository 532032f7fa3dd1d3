"""The policy, and the effective policy of an account: if secrets disagree, the safer value wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from . import durations
from .consumers import Consumers
from .evidence import EvidencePolicy
from .redaction import redact
from .targets import Enrolment, Target
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
    probe_successes: int = 2
    probe_span: timedelta = timedelta(seconds=30)
    patience: timedelta = timedelta(hours=1)
    daily_cap: int = 8
    emergency_patience: timedelta = timedelta(minutes=5)
    max_skew: timedelta = timedelta(seconds=60)
    max_send_age: timedelta = timedelta(seconds=8)
    minimum_overlap: timedelta = timedelta(hours=1)
    evidence: EvidencePolicy = EvidencePolicy.OFF
    evidence_deadline: timedelta = timedelta(days=7)
    consumers: Consumers = field(default_factory=Consumers)


FALLBACK_VALIDITY = timedelta(days=90)

# What a tag or a setting may ask for: a value outside counts as the nearest one inside.
SHORTEST_VALIDITY = timedelta(days=14)
LONGEST_OVERLAP = timedelta(days=7)
LONGEST_INTERVAL = timedelta(days=90)


@dataclass(frozen=True)
class EffectivePolicy:
    """The effective policy of an account.

    A scheduled rotation starts only while all ``windows`` are open. ``paused`` are the names of
    the secrets that ask to wait.
    """

    validity: timedelta
    overlap: timedelta
    minimum_interval: timedelta
    windows: tuple[Window, ...] = ()
    paused: tuple[str, ...] = ()

    @classmethod
    def combine(cls, targets: Iterable[Target], policy: Policy) -> EffectivePolicy:
        """Combine all targets: the shortest validity, the longest overlap and interval."""
        enrolments = [(target.id.name, target.enrolment) for target in targets]
        every: list[Enrolment | None] = [e for _, e in enrolments] or [None]
        return cls(
            validity=min(validity_of(e) for e in every),
            overlap=max(overlap_of(e, policy) for e in every),
            minimum_interval=max(interval_of(e, policy) for e in every),
            windows=tuple(dict.fromkeys(e.window for _, e in enrolments if e.window)),
            paused=tuple(name for name, e in enrolments if e.paused),
        )


def validity_of(enrolment: Enrolment | None) -> timedelta:
    """Return how long a key may be used, by one secret's tags."""
    given = enrolment.validity if enrolment else None
    return max(FALLBACK_VALIDITY if given is None else given, SHORTEST_VALIDITY)


def overlap_of(enrolment: Enrolment | None, policy: Policy) -> timedelta:
    """Return how long both keys stay valid, by one secret's tags or the setting."""
    given = enrolment.overlap if enrolment else None
    wanted = policy.overlap if given is None else given
    return min(max(wanted, policy.minimum_overlap), LONGEST_OVERLAP)


def interval_of(enrolment: Enrolment | None, policy: Policy) -> timedelta:
    """Return the shortest time between two scheduled rotations, by one secret's tags."""
    given = enrolment.minimum_interval if enrolment else None
    return min(policy.minimum_interval if given is None else given, LONGEST_INTERVAL)


def remarks(enrolment: Enrolment, policy: Policy) -> tuple[str, ...]:
    """Return what is wrong with one secret's tags, and which values were not taken as given."""
    used = (
        ("ValidityPeriodDays", enrolment.validity, validity_of(enrolment)),
        ("RotationOverlap", enrolment.overlap, overlap_of(enrolment, policy)),
        ("RotationMinimumInterval", enrolment.minimum_interval, interval_of(enrolment, policy)),
    )
    changed = (one for one in used if one[1] is not None and one[1] != one[2])
    return (*enrolment.problems, *(_counts_as(*one) for one in changed))


def unknown_consumers(target: Target, policy: Policy) -> tuple[str, ...]:
    """Return a remark on each consumer that a secret selects without effect."""
    names = target.enrolment.consumers
    known = {consumer.name for consumer in policy.consumers.of(target.id, names)}
    missing = (name for name in names if name not in known)
    return tuple(
        f"RotationConsumers: no {redact(name)} in ROTATION_CONSUMERS for it" for name in missing
    )


def settings_remarks(policy: Policy) -> tuple[str, ...]:
    """Return which settings were not taken as given."""
    used = (
        ("ROTATION_OVERLAP", policy.overlap, overlap_of(None, policy)),
        ("ROTATION_MINIMUM_INTERVAL", policy.minimum_interval, interval_of(None, policy)),
    )
    return tuple(_counts_as(*one) for one in used if one[1] != one[2])


def _counts_as(name: str, given: timedelta | None, used: timedelta) -> str:
    return f"{name} of {durations.words(given or timedelta())} counts as {durations.words(used)}"
