"""A person holds all scheduled work for at most fourteen days, and ends the hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent
from rotation.domain.fleet_hold import LONGEST, FleetHold
from rotation.service.fleet_hold import OUT_OF_RANGE
from rotation.service.views import fleet_hold as view
from tests.unit.decisions.account import NOW

from .world import CALLER, Service

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
HOLD = FleetHold(NOW + DAY, "a freeze", "ben", NOW, "Rotation.Operate", "call-2")


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_it_is_stored_with_who_placed_it_unless_it_is_a_dry_run(
    world: Service, dry_run: bool, caplog: pytest.LogCaptureFixture
) -> None:
    found = await world.holding.place(NOW + DAY, CALLER, "a freeze", dry_run=dry_run)
    assert found == view.build(HOLD)
    assert await world.holds.current() == (None if dry_run else HOLD)
    assert ('"state": "on"' in caplog.text) is not dry_run


@pytest.mark.parametrize(
    ("until", "is_valid"),
    [(NOW, False), (NOW + SECOND, True), (NOW + LONGEST, True), (NOW + LONGEST + SECOND, False)],
)
async def test_its_end_is_within_fourteen_days(
    world: Service, until: object, is_valid: bool
) -> None:
    if is_valid:
        assert (await world.holding.place(until, CALLER, "r", dry_run=False)).held  # type: ignore[arg-type]
        return
    with pytest.raises(Permanent) as caught:
        await world.holding.place(until, CALLER, "r", dry_run=False)  # type: ignore[arg-type]
    assert caught.value.code == OUT_OF_RANGE
    assert await world.holds.current() is None


@pytest.mark.parametrize("dry_run", [True, False])
async def test_it_is_ended_by_a_hold_that_is_over_with_who_ended_it(
    world: Service, dry_run: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await world.holds.put(HOLD)
    world.now += SECOND
    found = await world.holding.end(CALLER, "enough", dry_run=dry_run)
    assert found == view.build(None)
    assert await world.holds.current() == (HOLD if dry_run else None)
    over = replace(HOLD, until=world.now, at=world.now, reason="enough")
    assert world.holds._found == (HOLD if dry_run else over)
    assert ('"state": "off"' in caplog.text) is not dry_run


async def test_without_one_nothing_is_ended(world: Service) -> None:
    await world.holding.end(CALLER, "enough", dry_run=False)
    assert world.store.writes == []


async def test_its_status_tells_why_one_is_not_in_force(world: Service) -> None:
    await world.store.put("hold", b"garbage")
    found = await world.holding.status()
    assert (found.held, bool(found.problem)) == (False, True)
    await world.holds.put(HOLD)
    assert await world.holding.status() == view.build(HOLD)
