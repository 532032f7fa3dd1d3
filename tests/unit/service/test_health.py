"""The health of the service: the sweep runs, and what it needs can be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import UNSET

from rotation.domain.errors import Transient
from rotation.domain.fleet_hold import FleetHold
from rotation.engine.journal import LastSweep
from rotation.service.replies.fleet import HealthReply, HealthStatus
from tests.unit.decisions.account import NOW

from .world import PERIOD, Service

OK, DEGRADED = HealthStatus.OK, HealthStatus.DEGRADED


@pytest.fixture
async def world(tmp_path: Path) -> Service:
    """Return the service after a sweep."""
    made = Service(tmp_path)
    await made.journal.note_sweep(LastSweep(NOW, 1))
    return made


async def test_it_is_well_while_the_sweep_runs(world: Service) -> None:
    assert await world.health.status() == HealthReply(status=OK, last_sweep_age_seconds=0)
    world.now += 4 * PERIOD
    found = await world.health.status()
    assert (found.status, found.last_sweep_age_seconds) == (DEGRADED, 3600)


async def test_before_the_first_sweep_it_is_not(tmp_path: Path) -> None:
    found = await Service(tmp_path).health.status()
    assert (found.status, found.last_sweep_age_seconds) == (DEGRADED, None)


async def test_nor_if_the_sweep_could_not_read_something(world: Service) -> None:
    await world.journal.note_sweep(LastSweep(NOW, 1, unread=("a vault",)))
    assert (await world.health.status()).status is DEGRADED


async def test_nor_if_the_bindings_are_not_in_force(world: Service) -> None:
    world.gatherer.bindings._setting = "nonsense"
    assert (await world.health.status()).status is DEGRADED


async def test_nor_if_the_journal_cannot_be_read(world: Service) -> None:
    async def fail(name: str) -> None:
        raise Transient("no storage")

    world.store.read = fail  # type: ignore[method-assign]
    assert await world.health.status() == HealthReply(status=DEGRADED, last_sweep_age_seconds=None)


async def test_a_hold_is_told_and_is_not_a_fault(world: Service) -> None:
    await world.holds.put(FleetHold(NOW + timedelta(days=1), "a freeze", "ana", NOW))
    found = await world.health.status()
    assert (found.status, found.held) == (OK, True)
    world.now += timedelta(days=1)
    assert (await world.health.status()).held is UNSET


async def test_the_fleet_is_observed_with_the_age_of_the_sweep(
    world: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.now += timedelta(seconds=7)
    await world.health.observe()
    assert '"sweepAgeSeconds": 7' in caplog.text
    assert '"secrets": 1' in caplog.text
    assert '"problems": 0' in caplog.text


async def test_a_fleet_that_cannot_be_read_is_said_to_be_unknown(
    world: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(name: str) -> None:
        raise Transient("no storage", code="Storage")

    world.store.read = fail  # type: ignore[method-assign]
    await world.health.observe()
    assert "fleet unknown" in caplog.text
