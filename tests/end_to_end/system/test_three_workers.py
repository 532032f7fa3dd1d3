"""Three workers with one queue and one journal, killed, frozen and deprived of their leases.

The same ``SEED`` gives the same plan of mishaps, though not the same interleaving.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from emulator.azure import Azure
from emulator.proxy.server import Proxy
from rotation.domain.operation import Phase
from rotation.domain.record import Record

from .estate import BINDINGS, VAULTS, Enrolled, Estate
from .fleet import Fleet, ended, fleet
from .mishaps import LATE_REQUESTS, WANTED, Mishaps, slow_and_late
from .shared import Shared, shared_storage

ACCOUNTS = 120
OVERLAP = timedelta(seconds=4)
SETTINGS = {
    "ROTATION_OVERLAP": "PT4S",
    # Longer than a freeze, and longer than a late request.
    "ROTATION_SETTLE": "PT10S",
    "ROTATION_PROBE_SUCCESSES": "1",
    "ROTATION_LEAD": "P5D",
    "ROTATION_SWEEP_PERIOD": "PT1M",
    "ROTATION_SWEEP_RATE": "50",
    "ROTATION_BINDINGS": BINDINGS,
}
# Only the first sweeps: in Azure, a timer runs on one instance.
SCHEDULES = ("*/12 * * * * *", "0 0 0 1 1 *", "0 0 0 1 1 *")


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> str:
    found = os.environ.get("SEED") or uuid4().hex[:8]
    with capsys.disabled():
        print(f"\nSEED={found}")
    return found


@pytest.fixture
async def shared(azurite: str) -> AsyncIterator[Shared]:
    async with shared_storage(azurite) as storage:
        yield storage


@pytest.fixture
def estate(seed: str) -> Estate:
    estate = Estate(Azure(), OVERLAP)
    slow_and_late(estate, seed)
    return estate


@pytest.fixture
async def workers(shared: Shared, estate: Estate, tmp_path: Path) -> AsyncIterator[Fleet]:
    common = {**SETTINGS, **shared.settings}
    settings = [{**common, "ROTATION_SCHEDULE": schedule} for schedule in SCHEDULES]
    async with Proxy(estate.azure, tmp_path) as proxy, fleet(proxy, tmp_path, settings) as running:
        yield running


@pytest.mark.azurite
@pytest.mark.slow
async def test_every_account_is_rotated_once_in_spite_of_kills_freezes_and_broken_leases(
    workers: Fleet, estate: Estate, shared: Shared, seed: str
) -> None:
    mishaps = Mishaps(workers, estate, shared, seed)
    await _enrol(workers, estate)
    stealing = asyncio.create_task(mishaps.steal())
    await asyncio.gather(mishaps.strike(), _request(workers, estate, random.Random(seed)))
    await until("every account is finished", _finished(estate))
    await ended(stealing)
    records = await _at_rest(shared)
    await workers.workers[0].stop()
    print(mishaps, Counter(estate.regenerated.values()))
    assert await shared.poisoned() == 0
    assert estate.outages == []
    for found in estate.enrolled.values():
        _check_account(estate, found, records[str(found.id)])
        _check_count(estate, found, records[str(found.id)], mishaps)
    _check_provocation(mishaps, records)


async def _enrol(workers: Fleet, estate: Estate) -> None:
    """Deliver one vault's events to the second worker, and the other's to the third."""
    for vault, worker in zip(VAULTS, workers.workers[1:], strict=True):
        await workers.subscribe(vault, worker, begins="event-")
    for number in range(ACCOUNTS):
        estate.enrol(number)


async def _request(workers: Fleet, estate: Estate, rng: random.Random) -> None:
    for found in estate.asked_by("request"):
        await asyncio.sleep(rng.uniform(0, 0.4))
        body = {"vault": found.vault, "secret": found.secret.name, "reason": "a test"}
        await workers.request(body, rng)


def _check_account(estate: Estate, found: Enrolled, record: Record) -> None:
    """The rotation has ended: the published key works, and the original does not."""
    name, current = found.account.name, found.secret.current.value
    assert current in found.account.keys.values(), name
    assert estate.works(current), name
    assert not estate.works(found.original), name
    assert [done.proven for done in record.history] == [True], name
    assert not record.requests, name


def _check_count(estate: Estate, found: Enrolled, record: Record, mishaps: Mishaps) -> None:
    """Each slot is regenerated once; again only after an unknown outcome in the journal."""
    surplus = estate.regenerated[found.account.name] - 2
    assert 0 <= surplus <= mishaps.unknown_outcomes(found), found.account.name
    assert not surplus or record.quarantine, found.account.name


def _check_provocation(mishaps: Mishaps, records: dict[str, Record]) -> None:
    """Enough workers were hit for the test to be meaningful."""
    assert all(mishaps.hits[name] >= wanted for name, wanted in WANTED.items()), str(mishaps)
    assert len(mishaps.robbed) >= 20, str(mishaps)
    assert sum(bool(record.quarantine) for record in records.values()) >= LATE_REQUESTS


def _finished(estate: Estate) -> Callable[[], Awaitable[bool]]:
    async def finished() -> bool:
        return not estate.unfinished()

    return finished


async def _at_rest(shared: Shared) -> dict[str, Record]:
    for _ in range(60):
        records = await shared.records()
        if all(record.phase is Phase.IDLE for record in records):
            return {str(record.account): record for record in records}
        await asyncio.sleep(1)
    raise AssertionError("some operations never end")


async def until(what: str, done: Callable[[], Awaitable[bool]], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not await done():
        assert time.monotonic() < end, f"this did not happen within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.3)
