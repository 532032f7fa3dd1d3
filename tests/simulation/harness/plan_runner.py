"""One plan, run: workers, people, consumers and faults at once; then calm, and all is well."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from emulator.services.eventgrid.subscription import Subscription
from rotation.domain import tags
from rotation.domain.errors import RotationError
from rotation.domain.model import AccountId
from rotation.domain.policy import Policy
from rotation.domain.record import Phase, Request, RequestKind
from rotation.service import inbox

from . import virtual_time
from .checker import Violation
from .consumers import Consumer
from .faults import BY_NAME
from .interceptor import Crash
from .plan import CHAOS, Plan
from .planned_events import EventRunner
from .scenarios import check_published, count_changes, describe_phases
from .worker import Worker
from .world import World

OVERLAP = timedelta(hours=2)
POLICY = Policy(overlap=OVERLAP, daily_cap=6, minimum_interval=timedelta(hours=6))
TIMER = timedelta(minutes=30)
RESTART = 60.0
SOON = timedelta(days=1)
PATIENCE = timedelta(days=4)


def run_plan(plan: Plan) -> World:
    """Raises Violation."""
    world = build_world(plan)
    try:
        virtual_time.run(world.azure.clock, Run(plan, world).main())
    except Violation as violation:
        violation.add_note("\n".join(world.interceptor.trace[-60:]))
        raise
    return world


def build_world(plan: Plan) -> World:
    world = World(
        level=plan.level,
        seed=plan.seed,
        overlap=OVERLAP,
        accepts_any_key=plan.accepts_any_key,
        new_key_delay=timedelta(seconds=plan.new_key_delay),
        old_key_lag=timedelta(seconds=plan.old_key_lag),
        stale_for=timedelta(seconds=plan.stale),
    )
    world.checker.stale = timedelta(seconds=plan.stale)
    world.checker.daily_cap = POLICY.daily_cap
    for number in range(plan.accounts):
        account = AccountId("sub-1", "rg-keys", f"account-{number}")
        world.add_account(account, plan.kind)
        for target in range(plan.targets):
            lives = timedelta(days=20 if plan.due and not target else 80)
            world.add_secret(
                f"key-{number}-{target}",
                vault=f"https://kv-{(number + target) % plan.vaults}.vault.azure.net",
                account=account,
                lives=lives,
                with_tags={tags.VALIDITY_PERIOD_DAYS: "20"} if plan.short_validity else None,
            )
    world.account = world.ids[0]
    for vault in world.azure.keyvault.vaults.values():
        vault.stale_for = timedelta(seconds=plan.stale)
        vault.topic.subscribe(Subscription("https://here", existing=True))
    world.checker.reset()
    return world


class Run:
    """Everything that goes on at the same time in one world."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.rng = random.Random(plan.seed)
        self.events = EventRunner(world, self._somebody)
        self.workers = [
            Worker(world, POLICY, f"w{n}", timedelta(seconds=skew))
            for n, skew in enumerate(plan.skews)
        ]
        world.interceptor.planned_faults = {h.at: h.what for h in plan.events if h.what in BY_NAME}
        if plan.latency:
            world.interceptor.latency = lambda: self.rng.random() * 2 * plan.latency
        self.tasks: list[asyncio.Task[Any]] = []

    async def main(self) -> None:
        """Raises Violation, whoever met with it."""
        scenario = asyncio.ensure_future(self._story())
        self.tasks.append(scenario)
        for number in range(len(self.workers)):
            self._spawn(self._process(number))
        self._spawn(self._timer())
        self._spawn(self._deliveries())
        for event in self.plan.events:
            if event.what not in BY_NAME:
                self._spawn(self.events.run(event))
        for target in self.events.targets:
            rhythm = OVERLAP * self.rng.choice((0.3, 0.7, 0.99))
            self._spawn(Consumer(self.world, target, rhythm).run(self.rng))
        while not scenario.done():
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
            ended, self.tasks = _parted(self.tasks)
            for task in ended:
                task.result()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    # The service.

    async def _process(self, number: int) -> None:
        """The platform starts a process again when it has died."""
        while True:
            with suppress(Crash):
                await self.workers[number].serve()
            self.world.interceptor.note(f"w{number} is gone")
            await asyncio.sleep(RESTART)
            before = self.workers[number]
            self.workers[number] = Worker(self.world, POLICY, before.name, before.skew)

    async def _timer(self) -> None:
        while True:
            await self._somebody(lambda worker: worker.triggers.sweep())
            await asyncio.sleep(TIMER.total_seconds())

    async def _deliveries(self) -> None:
        """Event Grid: at least once, and again where nobody answered well."""
        while True:
            for topic, delivery in self.world.azure.due_deliveries():
                event = delivery.event
                took = await self._somebody(lambda worker, e=event: worker.triggers.handle_event(e))
                topic.report(delivery, 200 if took else 500)
            await asyncio.sleep(60)

    async def _somebody(self, what: Any) -> bool:
        """Any worker; whether it did it."""
        try:
            await what(self.rng.choice(self.workers))
        except RotationError:
            return False
        except Crash:
            self.world.storage.wake()
            return False
        return True

    # The end.

    async def _story(self) -> None:
        await asyncio.sleep(CHAOS.total_seconds())
        self._calm()
        await asyncio.sleep(2 * TIMER.total_seconds())
        end = self.world.now + PATIENCE
        while not self._is_settled():
            if self.world.now > end:
                raise Violation(
                    f"{PATIENCE} after the last fault it is still {describe_phases(self.world)}"
                )
            await self._resume()
            await asyncio.sleep(TIMER.total_seconds())
        check_published(self.world)
        self.world.checker.check_end()
        before = count_changes(self.world)
        await asyncio.sleep(OVERLAP.total_seconds())
        if count_changes(self.world) != before:
            raise Violation("it was at rest, and still something changes")
        if self.world.storage.poison:
            raise Violation(f"in the poison queue: {self.world.storage.poison[0]}")

    def _calm(self) -> None:
        """Faults stop, people put right what they did, and clocks are set."""
        world = self.world
        world.interceptor.note("calm")
        world.interceptor.planned_faults, world.interceptor.rules = {}, []
        world.interceptor.accepts_any_key = False
        self.events.operators.undo_all()
        world.checker.expect_fresh_reads()
        for account in world.ids:
            state = world.state(account)
            state.new_key_delay = state.old_key_lag = state.stale_for = timedelta()
        for vault in world.azure.keyvault.vaults.values():
            vault.stale_for = timedelta()
        for worker in self.workers:
            worker.skew = timedelta()

    def _is_settled(self) -> bool:
        records = [self.world.record(account) for account in self.world.ids]
        return all(
            record.phase is Phase.IDLE
            and not (record.outbox or record.intent or record.blocked)
            and (self.plan.short_validity or not record.requests)  # what is held keeps its wishes
            and (record.waiting_until is None or record.waiting_until > self.world.now + SOON)
            for record in records
        ) and all(self._agrees(account) for account in self.world.ids)

    def _agrees(self, account: AccountId) -> bool:
        targets = self.world.enrolled(account)
        values = {self.world.latest(target).value for target in targets}
        return len(values) <= 1 and all(self.world.accepts(value) for value in values)

    async def _resume(self) -> None:
        """Whoever is on call answers what is blocked."""
        for account in self.world.ids:
            record = self.world.record(account)
            asked = any(wish.kind is RequestKind.RESUME for wish in record.requests)
            if record.blocked and record.operation and not asked:
                name = inbox.new_id(account)
                said = Request(name, RequestKind.RESUME, "on", "me", self.world.now)
                await self._somebody(lambda w, s=said, a=account: w.answer(a, s))


def _parted(
    tasks: list[asyncio.Task[Any]],
) -> tuple[list[asyncio.Task[Any]], list[asyncio.Task[Any]]]:
    """Those that have ended, and the others."""
    return [t for t in tasks if t.done()], [t for t in tasks if not t.done()]
