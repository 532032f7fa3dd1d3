"""The time at which each visit of a sweep starts, so that Azure's limits are kept. Pure.

Workers cannot share a limit without asking each other. So the sweep, which knows all visits, gives
each one the time at which its calls fit. Limits: "Throttling Resource Manager requests" (a bucket
for each principal and subscription), "Azure Key Vault service limits" (for each vault; a
subscription has five times as much in a region).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil


@dataclass(frozen=True)
class Bucket:
    """``burst`` calls at once, and ``rate`` more each second."""

    burst: float
    rate: float

    def seconds(self, calls: float) -> float:
        """Return when the last of so many calls fits."""
        return max(0.0, (calls - self.burst) / self.rate)


@dataclass(frozen=True)
class Window:
    """At most ``calls`` in any ``length`` seconds.

    The first ones may come ``late``, because each worker lists a vault before its first regenerate.
    """

    calls: float
    length: float
    late: float = 0.0

    def seconds(self, calls: float) -> float:
        """Return when the last of so many calls fits."""
        before = ceil(calls / self.calls) - 1
        return before * self.length + self.late if before > 0 else 0.0


# Calls by limit, and by the subscription or vault that has it.
Bill = Mapping[tuple[Bucket | Window, str], float]

# Of the 200 writes that ARM allows at once, these are left to emergencies and to other callers.
RESERVE = 50

ARM_WRITES = Bucket(200 - RESERVE, 10)

# A batch of emergencies may use them up, but not the last write of each second: a call that is
# refused is repeated together with those before it, so that each would cause more.
URGENT_ARM_WRITES = Bucket(200, 9.5)

# A vault allows 300 new versions in any ten seconds. Visits that start together do not publish at
# exactly the same distance.
VAULT_CREATES = Window(280, 10.3, late=2)

# Reads of keys and regenerates: of a look, of a rotation, of an emergency until the leaked key is
# regenerated, and of the proof that it is refused.
LOOK_WRITES, ROTATION_WRITES, REVOKE_WRITES, PROOF_WRITES = 1, 3, 2, 3

# A visit starts this long before the next sweep at the latest, so that the bursts are there again.
PAUSE = timedelta(seconds=20)


@dataclass(frozen=True)
class Demand:
    """One visit: its account's subscription, its secrets' vaults, and whether it is due."""

    subscription: str
    vaults: tuple[str, ...]
    due: bool


def starts(demands: Iterable[Demand], looks: float) -> Iterator[float]:
    """Yield the seconds after which each visit starts; ``looks`` a second and subscription."""
    return _fitting(_bill(demand, looks) for demand in demands)


@dataclass(frozen=True)
class Turn:
    """After how long an emergency begins, and after how long its proof begins."""

    start: timedelta = timedelta()
    proof: timedelta = timedelta()


def emergencies(subscriptions: Iterable[str]) -> Iterator[Turn]:
    """Yield the turn of each emergency of a batch; they may use up the reserve.

    The regenerates of all come before the proof of any: a proof revokes nothing.
    """
    places = [(URGENT_ARM_WRITES, name.lower()) for name in subscriptions]
    calls = [*((p, REVOKE_WRITES) for p in places), *((p, PROOF_WRITES) for p in places)]
    fits = [timedelta(seconds=s) for s in _fitting({place: count} for place, count in calls)]
    return map(Turn, fits[: len(places)], fits[len(places) :])


def _fitting(bills: Iterable[Bill]) -> Iterator[float]:
    """Yield the seconds after which the calls of each bill fit, with those of all before it."""
    spent: dict[tuple[Bucket | Window, str], float] = defaultdict(float)
    for bill in bills:
        for place, calls in bill.items():
            spent[place] += calls
        yield max(place[0].seconds(spent[place]) for place in bill)


def turns(count: int, looks: float, period: timedelta) -> int:
    """Return in how many sweeps each of a subscription's accounts is looked at once."""
    return int(count // max(looks * period.total_seconds(), 1)) + 1


def _bill(demand: Demand, looks: float) -> Bill:
    """Return the calls of one visit, by limit and place.

    A look counts for as many writes as leave room for ``looks`` of them a second.
    """
    writes = ROTATION_WRITES if demand.due else max(LOOK_WRITES, ARM_WRITES.rate / looks)
    bill: dict[tuple[Bucket | Window, str], float] = {(ARM_WRITES, demand.subscription): writes}
    if demand.due:
        bill.update({(VAULT_CREATES, vault): 1.0 for vault in demand.vaults})
    return bill
