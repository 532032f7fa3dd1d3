"""The handlers that the function app calls: the timers and the messages of both queues."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotation.domain.emergency import Verdict
from rotation.domain.errors import Transient
from rotation.domain.ids import AccountId
from rotation.engine.journal import LastSweep
from rotation.service import messages, triggers
from rotation.service.messages import Visit
from rotation.service.sweep import SweepResult
from tests.unit.decisions.account import ACCOUNT, NOW
from tests.unit.engine.test_gatherer import ONE, OTHER
from tests.unit.engine.test_reconciler import LEAK

from .test_notices import NOTICE, event
from .world import Service

SECOND = timedelta(seconds=1)


class World(Service):
    """The service whose visits are only noted."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.handled: list[tuple[Any, ...]] = []

        async def handle(message: Visit, urgent: bool) -> None:
            self.handled.append((message, urgent))

        async def visit(message: Visit, *, urgent: bool = False) -> Any:
            self.handled.append((message, urgent))
            return await self.reconciler.reconcile(message.account, message.targets)

        async def look(visit: Visit) -> None:
            self.handled.append((visit,))

        self.visits.handle, self.visits.visit, self.visits.look = handle, visit, look  # type: ignore[method-assign]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("urgent", [True, False])
async def test_a_message_is_handled_by_its_kind(world: World, urgent: bool) -> None:
    visit = Visit(ACCOUNT, (ONE,))
    await world.triggers.handle_message(messages.dump(visit), urgent=urgent)
    await world.triggers.handle_message(messages.dump(NOTICE))
    assert world.handled == [(visit, urgent), (visit,)]
    await world.triggers.handle_message(json.dumps([event()]))
    assert await world.triggers.handle_event(event()) == "look at one"
    assert len(world.queue.sent) == 2


async def test_what_is_not_a_message_is_an_error(world: World) -> None:
    with pytest.raises(ValueError, match=r"."):
        await world.triggers.handle_message("nonsense")


async def test_a_sweep_visits_the_accounts_and_is_noted(world: World) -> None:
    found = await world.triggers.sweep()
    assert found == SweepResult(1, 1, 0)
    assert [message.account for message, _ in world.handled] == [ACCOUNT]
    assert await world.journal.last_sweep() == LastSweep(NOW, 1, succeeded=NOW, compared=NOW)


async def test_of_its_problems_the_first_are_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "MAX_PROBLEMS", 1)

    async def run(*calls: object) -> SweepResult:
        return SweepResult(3, 2, 1, ("a", "b"), "stopped", ("c", "d"))

    world.sweeper.run = run  # type: ignore[method-assign, assignment]
    await world.triggers.sweep()
    assert await world.journal.last_sweep() == LastSweep(NOW, 3, ("a",), "stopped", unread=("c",))


async def test_one_that_cannot_be_noted_is_over_all_the_same(world: World) -> None:
    async def fail(*members: object) -> None:
        raise Transient("no storage")

    world.journal.note_sweep = fail  # type: ignore[method-assign, assignment]
    assert (await world.triggers.sweep()).accounts == 1


async def test_the_timer_goes_on_with_every_open_emergency_that_is_due(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.report()
    await world.report(id=f"{ACCOUNT.slug}-2", look_at=NOW)
    await world.report(id=f"{OTHER.slug}-1", account=OTHER, look_at=NOW + SECOND)
    await world.report(id=f"{OTHER.slug}-2", account=OTHER, verdict=Verdict.REFUSED)
    third = AccountId("s1", "rg-a", "third")
    await world.report(id=f"{third.slug}-1", account=third, look_at=NOW)
    await world.triggers.respond()
    assert sorted(world.handled, key=repr) == sorted(
        [(Visit(ACCOUNT), True), (Visit(third), True)], key=repr
    )
    assert "not-revoked" not in caplog.text.replace('"state": "not-revoked", "reason": "K', "")


async def test_a_document_that_cannot_be_read_is_an_error_of_every_run(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.store.put(f"emergency-{LEAK}", b"garbage")
    await world.triggers.respond()
    (line,) = [r.getMessage() for r in caplog.records if '"state": "not-revoked"' in r.getMessage()]
    assert LEAK in line
