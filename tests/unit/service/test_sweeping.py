"""A sweep visits some accounts itself, enqueues the rest, and stops if nothing can be rotated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.domain.errors import Transient, of_service
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.membership import Member
from rotation.domain.operation import Phase
from rotation.domain.record import ObservedVersion, Record
from rotation.engine.bindings import BindingRegistry
from rotation.engine.outcome import Outcome
from rotation.service.messages import Visit
from rotation.service.sweep import CANARIES, SweepResult
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS, A
from tests.unit.engine.vaults import refused

from .world import Service

SEEN = {str(ONE): ObservedVersion("v1", "f")}
REST = Outcome(ACCOUNT, ActionKind.IDLE, "fine")
DOWN = replace(REST, reason="no token", of_service=True)


class World(Service):
    """The service whose visits are noted, and end as a test says."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.visited: list[Visit] = []
        self.enqueued: list[tuple[Visit, timedelta]] = []
        self.outcomes: list[Outcome] = []

    async def visit(self, visit: Visit) -> Outcome:
        self.visited.append(visit)
        return self.outcomes.pop(0) if self.outcomes else REST

    async def enqueue(self, visit: Visit, delay: timedelta) -> None:
        self.enqueued.append((visit, delay))

    async def sweep(self) -> SweepResult:
        return await self.sweeper.run(self.visit, self.enqueue)

    def add(self, *numbers: int) -> list[AccountId]:
        """Publish a secret of each of some further accounts."""
        accounts = [AccountId("s1", "rg-a", f"a-{number}") for number in numbers]
        for account in accounts:
            tags = TAGS | {"ProviderAddress": str(account)}
            self.vaults.add(TargetId(A, account.name), NOW, tags, KEYS.key1)
        return accounts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_first_accounts_are_visited_and_the_rest_is_enqueued(world: World) -> None:
    accounts = {ACCOUNT, *world.add(1, 2, 3, 4)}
    found = await world.sweep()
    assert found == SweepResult(5, CANARIES, 2)
    assert {visit.account for visit in world.visited} | {v.account for v, _ in world.enqueued} == (
        accounts
    )
    assert (len(world.visited), len(world.enqueued)) == (CANARIES, 2)
    plan = await world.sweeper.plan(await world.gatherer.reader.inventory.listings())
    assert world.visited == [start.visit for start in plan.starts[:CANARIES]]
    assert world.enqueued == [(start.visit, start.delay) for start in plan.starts[CANARIES:]]


async def test_it_lists_the_vaults_again(world: World) -> None:
    for _ in range(2):
        await world.sweep()
    assert world.vaults.listings == [A, A]


async def test_an_account_that_no_secret_names_any_longer_is_visited_too(world: World) -> None:
    world.vaults.secrets.clear()
    await world.save(seen=SEEN)
    await world.journal.save(Record(OTHER, "salt"), None)
    await world.sweep()
    assert world.visited == [Visit(ACCOUNT)], "the other has nothing to do"


@pytest.mark.parametrize(
    "members",
    [{"phase": Phase.VERIFY}, {"seen": SEEN}, {"members": {str(ONE): Member(NOW)}}],
)
async def test_so_is_one_with_an_operation_or_a_remembered_secret(
    world: World, members: dict[str, Any]
) -> None:
    world.vaults.secrets.clear()
    await world.save(**members)
    assert (await world.sweep()).accounts == 1


async def test_a_record_that_cannot_be_read_is_named_and_hides_no_other(world: World) -> None:
    await world.store.put(OTHER.slug, b"garbage")
    found = await world.sweep()
    assert (found.accounts, len(found.unread)) == (1, 1)
    assert OTHER.slug in found.unread[0]
    assert OTHER.slug in found.problems[0]


async def test_a_vault_that_cannot_be_listed_is_named_and_stops_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.vaults.urls = (A, "https://kv-b")
    world.vaults.errors["https://kv-b"] = of_service(Transient("no token"))
    found = await world.sweep()
    assert (found.accounts, found.stopped, found.unread) == (1, "", ("https://kv-b",))


@pytest.mark.parametrize("is_own", [True, False])
async def test_if_the_service_can_list_no_vault_it_stops(world: World, is_own: bool) -> None:
    error = Transient("no token")
    world.vaults.errors[A] = of_service(error) if is_own else error
    found = await world.sweep()
    assert found.stopped == ("no vault can be listed: no token" if is_own else "")
    assert (found.accounts, found.enqueued) == (0, 0)


@pytest.mark.parametrize("healthy", [0, 1])
async def test_if_the_service_fails_every_account_it_stops_and_enqueues_nothing(
    world: World, healthy: int
) -> None:
    world.add(1, 2, 3)
    other = replace(DOWN, reason="another reason")
    world.outcomes = [*[DOWN, other, other][: CANARIES - healthy], *[REST] * healthy]
    found = await world.sweep()
    assert found.stopped == ("" if healthy else "no token")
    assert (found.accounts, found.visited) == (4, CANARIES)
    assert len(world.enqueued) == found.enqueued == healthy


async def test_an_empty_fleet_is_not_a_fault(world: World) -> None:
    world.vaults.secrets.clear()
    assert await world.sweep() == SweepResult(0, 0, 0)


@pytest.mark.parametrize(("skew", "stops"), [(60, False), (61, True), (-61, True)])
async def test_it_stops_while_the_clock_is_off(world: World, skew: int, stops: bool) -> None:
    world.clock.skew = timedelta(seconds=skew)
    found = await world.sweep()
    assert ("clock is off by 61 s" in found.stopped) is stops


async def test_a_store_that_fails_stops_it(world: World) -> None:
    async def fail(prefix: str = "") -> Any:
        raise Transient("no storage")
        yield

    world.store.stamps = fail  # type: ignore[method-assign]
    found = await world.sweep()
    assert (found.stopped, found.accounts) == ("no storage", 0)


class TestFreeze:
    """Several vaults without a setting are bound as they were rotated before."""

    def several(self, directory: Path) -> World:
        world = World(directory)
        vaults = (A, "https://kv-b")
        world.vaults.urls = vaults
        bindings = BindingRegistry(world.store, "", vaults)
        world.sweeper.bindings = world.gatherer.reader.inventory.bindings = bindings
        return world

    async def test_what_a_record_remembers_is_bound(self, tmp_path: Path) -> None:
        world = self.several(tmp_path)
        (stranger,) = world.add(1)
        await world.save(seen=SEEN)
        await world.sweep()
        bindings = await world.sweeper.bindings.current()
        bound = {pair for _, pairs in bindings.frozen or () for pair in pairs}
        assert bound == {(ONE, ACCOUNT)}
        assert stranger != ACCOUNT

    async def test_a_vault_that_cannot_be_listed_is_not_decided(self, tmp_path: Path) -> None:
        world = self.several(tmp_path)
        world.vaults.errors["https://kv-b"] = refused("the listing")
        await world.sweep()
        assert not await world.sweeper.bindings.is_undecided(A)
        assert await world.sweeper.bindings.is_undecided("https://kv-b")

    async def test_a_list_that_was_lost_is_not_made_again(self, tmp_path: Path) -> None:
        world = self.several(tmp_path)
        await world.save(seen=SEEN, frozen_bindings=True)
        await world.store.put("bindings", b"garbage")
        await world.sweep()
        assert await world.sweeper.bindings.is_undecided(A)

    async def test_a_secret_without_an_account_is_not_bound(self, tmp_path: Path) -> None:
        world = self.several(tmp_path)
        await world.save(seen={**SEEN, f"{A}/secrets/two": SEEN[str(ONE)]})
        world.vaults.add(TargetId(A, "two"), NOW, TAGS | {"ProviderAddress": "nonsense"})
        await world.sweep()
        bindings = await world.sweeper.bindings.current()
        assert {pair for _, pairs in bindings.frozen or () for pair in pairs} == {(ONE, ACCOUNT)}
