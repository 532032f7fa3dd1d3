"""The outcome of each request, and figures over all of them. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from .plan import Consumer


@dataclass(frozen=True)
class Request:
    """One request of a consumer, with its single repeat.

    ``at`` is the time in seconds, ``version`` the one in use when it began. ``statuses`` has one
    status for each attempt; ``error`` names the exception that the client raised.
    """

    at: float
    consumer: int
    version: str
    statuses: tuple[int, ...]
    error: str = ""

    @classmethod
    def parse(cls, line: str) -> Request:
        members = json.loads(line)
        return cls(**members | {"statuses": tuple(members["statuses"])})

    def line(self) -> str:
        return json.dumps(asdict(self))

    @property
    def failed(self) -> bool:
        return bool(self.error) or self.statuses[-1] != 200

    @property
    def cause(self) -> str:
        """The last status that is not 200, or the exception's name."""
        return str(self.statuses[-1]) if self.statuses and self.statuses[-1] != 200 else self.error


@dataclass(frozen=True)
class Published:
    """A version of a consumer's secret, and when it was published, in seconds."""

    version: str
    at: float


@dataclass(frozen=True)
class Span:
    """A time span in seconds, both ends included."""

    begins: float
    ends: float

    def __contains__(self, moment: float) -> bool:
        return self.begins <= moment <= self.ends


@dataclass(frozen=True)
class Figures:
    """Counts of requests. All but ``control_failed`` are of conforming consumers.

    ``failed`` are those outside emergencies, ``failed_in_emergency`` those of the leaked account
    from the request of the emergency until every consumer had time to read again.
    """

    requests: int
    first_401: int
    failed: int
    failed_in_emergency: int
    control_failed: int
    longest_staleness_seconds: float

    @property
    def passed(self) -> bool:
        """Return whether only the control failed."""
        return self.failed == 0 and self.control_failed > 0


def figures(
    requests: Iterable[Request],
    consumers: Mapping[int, Consumer],
    published: Mapping[str, Sequence[Published]],
    emergencies: Mapping[str, Span],
) -> Figures:
    """Return the figures; ``published`` and ``emergencies`` are by the name of the secret."""
    every = list(requests)
    mine = [one for one in every if consumers[one.consumer].conforms]
    of_control = [one for one in every if not consumers[one.consumer].conforms]
    failed = [one for one in mine if one.failed]
    excused = sum(_excused(one, consumers[one.consumer].secret, emergencies) for one in failed)
    stale = (staleness(one, published[consumers[one.consumer].secret]) for one in mine)
    return Figures(
        requests=len(mine),
        first_401=sum(one.statuses[:1] == (401,) for one in mine),
        failed=len(failed) - excused,
        failed_in_emergency=excused,
        control_failed=sum(one.failed for one in of_control),
        longest_staleness_seconds=round(max(stale, default=0.0), 2),
    )


def causes(requests: Iterable[Request], consumers: Mapping[int, Consumer]) -> Counter[str]:
    """Count the failures of conforming consumers by kind of consumer and cause."""
    failed = (one for one in requests if one.failed and consumers[one.consumer].conforms)
    return Counter(f"{consumers[one.consumer].kind}: {one.cause}" for one in failed)


def staleness(request: Request, published: Sequence[Published]) -> float:
    """Return for how long a newer version had been published, in seconds; 0 if there was none."""
    order = [one.version for one in published]
    newer = published[order.index(request.version) + 1 :]
    return max(0.0, request.at - newer[0].at) if newer else 0.0


def _excused(request: Request, secret: str, emergencies: Mapping[str, Span]) -> bool:
    return secret in emergencies and request.at in emergencies[secret]
