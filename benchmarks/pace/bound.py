"""The shortest time that Azure's limits allow. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A service allows ``burst`` calls at once and ``rate`` more each second."""

    name: str
    burst: float
    rate: float

    def seconds(self, calls: float) -> float:
        """Return the shortest time for this number of calls."""
        return max(0.0, (calls - self.burst) / self.rate)


# Calls of one account in one half of a rotation.
WRITES, CREATES, OTHERS = 3, 1, 3

ARM_WRITES = Limit("arm writes", 200, 10)

VAULT_CREATES = Limit("vault creates", 300, 30)

VAULT_OTHERS = Limit("vault calls", 4000, 400)

# A subscription in a region has five times the limits of one vault.
REGION_CREATES = Limit("region creates", 1500, 150)

REGION_OTHERS = Limit("region calls", 20_000, 2000)

PATH = "one account's path"


@dataclass(frozen=True)
class Place:
    """The subscription of an account, and the vault of its secret with the vault's region."""

    subscription: str
    vault: str
    region: str = ""


@dataclass(frozen=True)
class Bound:
    """``limit`` names what takes longest. ``seconds`` do not include one account's own path."""

    seconds: float
    limit: str


def of(places: Iterable[Place], writes: float = WRITES, *, publish: bool = True) -> Bound:
    """Return the shortest time in which each account makes ``writes`` and may publish once."""
    found = list(places)
    accounts = Counter(place.subscription for place in found)
    limits = [Bound(0.0, PATH), _longest(ARM_WRITES, accounts, writes)]
    if publish:
        limits += _of_vaults(found)
    return max(limits, key=lambda bound: bound.seconds)


def _of_vaults(places: Sequence[Place]) -> list[Bound]:
    vaults = Counter(place.vault for place in places)
    regions = Counter(place.region for place in places if place.region)
    return [
        _longest(VAULT_CREATES, vaults, CREATES),
        _longest(VAULT_OTHERS, vaults, OTHERS),
        _longest(REGION_CREATES, regions, CREATES),
        _longest(REGION_OTHERS, regions, OTHERS),
    ]


def _longest(limit: Limit, accounts: Mapping[str, int], calls: float) -> Bound:
    most = max(accounts.values(), default=0)
    return Bound(limit.seconds(most * calls), limit.name)
