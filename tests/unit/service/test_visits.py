"""Visits that messages ask for: one look a minute, one chain of wake-ups, retries that end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.domain.errors import RotationError, Transient, of_service
from rotation.domain.ids import AccountId, TargetId
from rotation.engine.outcome import Outcome
from rotation.service.messages import Visit
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS
from tests.unit.engine.test_reconciler import ASKED
from tests.unit.engine.vaults import refused

from .world import Service

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
VISIT = Visit(ACCOUNT, (ONE,))
STRANGER = AccountId("s9", "rg", "stranger")
REST = Outcome(ACCOUNT, ActionKind.IDLE, "fine", NOW + MINUTE)


class Reconciler:
    """Notes the visits, and ends each as a test says."""

    def __init__(self) -> None:
        self.visited: list[tuple[object, ...]] = []
        self.outcome = REST

    async def reconcile(
        self, account: AccountId, known: object, wake: object, **more: object
    ) -> Outcome:
        self.visited.append((account, known, wake, *more.values()))
        return self.outcome


class World(Service):
    """The service whose reconciler only notes its visits."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.noted = self.visits.reconciler = Reconciler()  # type: ignore[assignment]

    async def handle(self, visit: Visit = VISIT, *, urgent: bool = False) -> None:
        await self.visits.handle(visit, urgent)

    @property
    def visited(self) -> int:
        return len(self.noted.visited)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_message_leads_to_one_look_a_minute_and_one_more_later(world: World) -> None:
    for _ in range(3):
        await world.handle()
        world.now += SECOND
    assert world.noted.visited == [(ACCOUNT, (ONE,), None, False)]
    assert world.queue.sent == [(VISIT, MINUTE - SECOND)]
    world.now = NOW + MINUTE
    await world.handle()
    assert world.visited == 2


async def test_a_deferred_look_stays_in_its_queue(world: World) -> None:
    for _ in range(2):
        await world.handle(urgent=True)
    assert (world.queue.sent, world.urgent.sent) == ([], [(VISIT, MINUTE)])


async def test_a_new_request_is_looked_at_at_once(world: World) -> None:
    await world.handle()
    world.now += SECOND
    await world.save(requests=(replace(ASKED, at=NOW - SECOND),))
    await world.handle()
    assert world.visited == 1, "an old request was there at the look before"
    await world.save(requests=(replace(ASKED, at=NOW - SECOND), replace(ASKED, id="r-2")))
    await world.handle()
    assert world.visited == 2


async def test_a_record_that_cannot_be_read_asks_for_no_further_look(world: World) -> None:
    await world.handle()
    await world.store.put(ACCOUNT.slug, b"garbage")
    await world.handle()
    assert world.visited == 1


async def test_a_wake_up_is_followed_whenever_it_comes(world: World) -> None:
    due = replace(VISIT, wake=NOW)
    for _ in range(2):
        await world.handle(due)
    assert world.noted.visited == [(ACCOUNT, (ONE,), NOW, False)] * 2


async def test_a_wake_up_that_comes_early_is_a_look(world: World) -> None:
    early = Visit(STRANGER, wake=NOW + SECOND)
    for _ in range(2):
        await world.handle(early)
    assert world.visited == 1, "it names its account, but may be forged"
    assert world.queue.sent == [(Visit(STRANGER), MINUTE)]


@pytest.mark.parametrize("by", ["a record", "a listing", "a secret"])
async def test_an_account_that_something_names_is_visited(world: World, by: str) -> None:
    world.vaults.secrets.clear()
    if by == "a record":
        await world.save(waiting="w")
    elif by == "a listing":
        world.publish(ONE)
        world.vaults.errors[ONE] = refused("one")
    else:
        world.publish(ONE)
        world.vaults.errors[ONE.vault] = refused("the listing")
    await world.handle()
    assert world.visited == 1


@pytest.mark.parametrize("targets", [(), (ONE,), (TargetId("https://elsewhere", "one"),)], ids=str)
async def test_a_stranger_is_not_visited(world: World, targets: tuple[TargetId, ...]) -> None:
    await world.handle(Visit(STRANGER, targets))
    assert (world.visited, world.queue.sent) == (0, [])


@pytest.mark.parametrize(
    ("error", "visits", "again"),
    [
        (Transient("busy"), 0, True),
        (of_service(Transient("no token")), 1, False),
        (RotationError("refused", code="Forbidden"), 0, False),
    ],
)
async def test_a_vault_that_cannot_tell_now_is_asked_again(
    world: World, error: RotationError, visits: int, again: bool
) -> None:
    world.vaults.secrets.clear()
    world.vaults.errors[ONE] = error
    await world.handle()
    assert world.visited == visits
    expected = [(replace(VISIT, tries=1), timedelta(seconds=10))] if again else []
    assert world.queue.sent == expected


async def test_a_record_that_cannot_be_read_names_its_account(world: World) -> None:
    await world.store.put(ACCOUNT.slug, b"garbage")
    world.vaults.secrets.clear()
    await world.handle()
    assert world.visited == 1


async def test_the_secret_of_another_account_names_nobody(world: World) -> None:
    world.vaults.add(ONE, NOW, TAGS | {"ProviderAddress": str(OTHER)}, KEYS.key1)
    await world.handle()
    assert world.visited == 0


@pytest.mark.parametrize(
    ("tries", "pause"), [(0, 10), (1, 10), (2, 20), (3, 40), (7, 640), (8, None)]
)
@pytest.mark.parametrize("urgent", [False, True])
async def test_a_visit_that_could_not_end_is_tried_again_with_a_growing_delay(
    world: World, tries: int, pause: int | None, urgent: bool
) -> None:
    world.noted.outcome = replace(REST, retry_now=True)
    found = await world.visits.visit(replace(VISIT, tries=tries), urgent=urgent)
    assert found is world.noted.outcome
    again = (replace(VISIT, tries=tries + 1), timedelta(seconds=pause or 0))
    mine, other = (world.urgent, world.queue) if urgent else (world.queue, world.urgent)
    assert (mine.sent, other.sent) == ([again] if pause else [], [])


@pytest.mark.parametrize(
    ("members", "wake", "is_kept"),
    [
        ({"new_wait": True}, None, True),
        ({}, None, False),
        ({}, REST.until, True),
        ({}, NOW, False),
        ({"new_wait": True, "kind": ActionKind.IDLE}, None, False),
        ({"new_wait": True, "until": None}, None, False),
    ],
)
async def test_each_account_has_one_chain_of_wake_ups(
    world: World, members: dict[str, object], wake: object, is_kept: bool
) -> None:
    world.noted.outcome = replace(REST, **{"kind": ActionKind.WAIT, **members})
    await world.visits.visit(replace(VISIT, wake=wake))
    expected = [(Visit(ACCOUNT, wake=NOW + MINUTE), MINUTE + SECOND)] if is_kept else []
    assert world.queue.sent == expected


async def test_a_wake_up_that_is_past_comes_at_once(world: World) -> None:
    world.noted.outcome = replace(REST, kind=ActionKind.WAIT, until=NOW - MINUTE, new_wait=True)
    await world.visits.visit(VISIT, urgent=True)
    assert world.urgent.sent == [(Visit(ACCOUNT, wake=NOW - MINUTE), SECOND)]


async def test_a_look_on_behalf_of_an_event_needs_no_name_and_has_the_same_limit(
    world: World,
) -> None:
    await world.visits.look(Visit(STRANGER))
    assert (world.visited, world.queue.sent) == (1, [])
    await world.visits.look(Visit(STRANGER))
    assert (world.visited, world.queue.sent) == (1, [(Visit(STRANGER), MINUTE)])


async def test_a_visit_that_is_enqueued_is_not_urgent(world: World) -> None:
    await world.visits.enqueue(VISIT, MINUTE)
    assert (world.queue.sent, world.urgent.sent) == ([(VISIT, MINUTE)], [])
