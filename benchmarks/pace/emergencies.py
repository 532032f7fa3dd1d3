"""The time from the report of a leaked key to its rejection, idle and during a sweep."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rotation.domain.ids import AccountId
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest
from rotation.service.service import Service
from tests.simulation.harness.virtual_time import run

from . import bound
from .estate import Estate, Shape
from .makespan import BATCH, sweeps

COUNT, WORKERS, LEAK_WORKERS = 30, 20, 250

# The reports begin when the sweep has used up what ARM allows at once.
_DRAINED, _APART = 60.0, 5.0

# Reads and regenerates of an account's keys until the leaked key is rejected.
_WRITES = 2


@dataclass(frozen=True)
class Emergencies:
    """Medians in seconds over some emergencies, and how often their accounts got a 429."""

    idle_median: float
    loaded_median: float
    ratio: float
    throttled: int


@dataclass(frozen=True)
class Leak:
    """``seconds`` until the last of the leaked keys is rejected."""

    subscriptions: int
    workers: int
    seconds: float
    bound: float
    ratio: float


Reporter = Callable[[Estate, Service, "Deaths"], Awaitable[None]]


@dataclass
class Deaths:
    """The seconds from each report until the account's first key was rejected."""

    estate: Estate
    reported: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    _died: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.estate.azure.observers.append(self._seen)

    def expect(self, account: AccountId) -> None:
        """Note the report of an account's first key."""
        self.reported[str(account).lower()] = asyncio.get_running_loop().time()

    def _seen(self, what: str, detail: Any) -> None:
        if what != "account.regenerated":
            return
        account, slot = detail
        found = self.reported.pop(account.id.lower(), None) if slot == "Key1" else None
        if found is not None:
            self.seconds.append(asyncio.get_running_loop().time() - found)
            self._died.set()

    async def all(self) -> None:
        """Wait until all reported keys are rejected."""
        while self.reported:
            self._died.clear()
            await self._died.wait()


def emergencies() -> Emergencies:
    """Compare emergencies on an idle system with those during a sweep of 1,000 due accounts."""
    idle, _ = _measured(loaded=False)
    loaded, throttled = _measured(loaded=True)
    return Emergencies(round(idle, 1), round(loaded, 1), round(loaded / idle, 3), throttled)


def _measured(*, loaded: bool) -> tuple[float, int]:
    estate = Estate(Shape(1000, 1, 1))
    deaths = run(estate.azure.clock, _reported(estate, loaded=loaded))
    leaked = {str(account).lower() for account in _last_to_rotate(estate)}
    throttled = sum(place in leaked for place in estate.interceptor.throttled)
    return statistics.median(deaths.seconds), throttled


async def _reported(estate: Estate, *, loaded: bool) -> Deaths:
    deaths = Deaths(estate)
    async with estate.hosts(WORKERS, BATCH) as service:
        task = asyncio.ensure_future(sweeps(service) if loaded else asyncio.sleep(0))
        await asyncio.sleep(_DRAINED)
        for account in _last_to_rotate(estate):
            await _report(service, account, deaths)
            await asyncio.sleep(_APART)
        await deaths.all()
        task.cancel()
    return deaths


def _last_to_rotate(estate: Estate) -> list[AccountId]:
    return sorted(estate.accounts, key=lambda account: account.slug)[-COUNT:]


async def _report(service: Service, account: AccountId, deaths: Deaths) -> None:
    deaths.expect(account)
    request = RotationRequest("a leak", "benchmark", account=account, leaked=Leaked.KEY1)
    await service.commands.request(request)


def leak(subscriptions: int, keys: int = 1000, workers: int = LEAK_WORKERS) -> Leak:
    """Report the keys of a fleet at once; the bound's path is that of a single report there."""
    shape = Shape(keys, subscriptions, subscriptions)
    path = _until_dead(shape, workers, _report_one)
    seconds = _until_dead(shape, workers, _report_all)
    least = bound.of(shape.places(), _WRITES, publish=False).seconds + path
    return Leak(
        subscriptions, workers, round(seconds, 1), round(least, 1), round(seconds / least, 3)
    )


def _until_dead(shape: Shape, workers: int, report: Reporter) -> float:
    estate = Estate(shape)
    return max(run(estate.azure.clock, _leaked(estate, workers, report)).seconds)


async def _leaked(estate: Estate, workers: int, report: Reporter) -> Deaths:
    deaths = Deaths(estate)
    async with estate.hosts(workers, BATCH) as service:
        timer = asyncio.ensure_future(_each_minute(service))
        await report(estate, service, deaths)
        await deaths.all()
        timer.cancel()
    return deaths


async def _each_minute(service: Service) -> None:
    """Run the timer of emergencies, as the function app does."""
    while True:
        await asyncio.sleep(60)
        await service.triggers.respond()


async def _report_one(estate: Estate, service: Service, deaths: Deaths) -> None:
    await _report(service, estate.accounts[0], deaths)


async def _report_all(estate: Estate, service: Service, deaths: Deaths) -> None:
    for account in estate.accounts:
        deaths.expect(account)
    request = RotationRequest("a leak", "benchmark", everything=True, leaked=Leaked.KEY1)
    await service.commands.request_all(request)
