"""Runs a plan: workers, people, consumers and faults at once; then calm, and it must converge."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from rotation.domain.emergency import Emergency
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.operation import Phase
from rotation.domain.record import Record
from rotation.domain.request import Request, RequestKind
from rotation.ops.enrolment.admission import admitted
from rotation.service import inbox

from . import virtual_time
from .consumers import Consumer
from .convergence import (
    check_events,
    check_poison_queue,
    check_published,
    check_stable,
    count_changes,
    describe_phases,
    published_values,
)
from .event_runner import EventRunner
from .invariants import Invariant, Violation
from .plan import Plan
from .plan_world import OVERLAP, POLICY, build_world
from .service import SWEEP_PERIOD, Service
from .worker import Worker
from .world import World

SOON = timedelta(days=1)
PATIENCE = timedelta(days=4)
SHOWN_LINES = 60


def run_plan(plan: Plan) -> World:
    """Raises Violation, with the end of the trace as its note."""
    world = build_world(plan)
    try:
        virtual_time.run(world.azure.clock, PlanRun(plan, world).main())
    except Violation as violation:
        violation.add_note("\n".join(world.interceptor.trace[-SHOWN_LINES:]))
        raise
    return world


class PlanRun:
    """Everything that happens at the same time in one world."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.rng = random.Random(plan.seed)
        self.service = Service(world, POLICY, plan.clock_skews, self.rng)
        self.events = EventRunner(world, self.service.with_any_worker)
        faults = {event.at: event.what for event in plan.events if event.is_fault}
        world.interceptor.planned_faults = faults
        if plan.latency:
            world.interceptor.latency = lambda: self.rng.random() * 2 * plan.latency
        self.tasks: list[asyncio.Task[Any]] = []

    async def main(self) -> None:
        """Run until it has converged. Raises the Violation of any task."""
        main = self._spawn(self._chaos_then_calm())
        for task in self.service.tasks():
            self._spawn(task)
        for event in self.plan.events:
            if not event.is_fault:
                self._spawn(self.events.run(event))
        for target in self.events.targets:
            rng = random.Random(f"{self.plan.seed} {target}")
            rhythm = OVERLAP * rng.choice((0.3, 0.7, 0.99))
            self._spawn(Consumer(self.world, target, rhythm).run(rng))
        while not main.done():
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
            ended = [task for task in self.tasks if task.done()]
            self.tasks = [task for task in self.tasks if not task.done()]
            for finished in ended:
                finished.result()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self.tasks.append(task)
        return task

    async def _chaos_then_calm(self) -> None:
        await asyncio.sleep(timedelta(hours=self.plan.hours).total_seconds())
        self._stop_faults()
        await asyncio.sleep(2 * SWEEP_PERIOD.total_seconds())
        await self._wait_until_settled()
        check_published(self.world)
        self.world.checker.check_leaks()
        before = count_changes(self.world)
        await asyncio.sleep(OVERLAP.total_seconds())
        check_stable(self.world, before)
        check_poison_queue(self.world)
        check_events(self.world)

    def _stop_faults(self) -> None:
        """End all faults, undo what people did, and correct the clocks."""
        world = self.world
        world.interceptor.note("the faults stop")
        world.interceptor.planned_faults, world.interceptor.rules = {}, []
        world.interceptor.accepts_any_key = False
        self.events.operators.undo_all()
        world.observations.read_staleness = timedelta()
        for account in world.ids:
            state = world.state(account)
            state.new_key_delay = state.old_key_lag = state.stale_for = timedelta()
        for vault in world.azure.keyvault.vaults.values():
            vault.stale_for = timedelta()
        self.service.correct_clocks()

    async def _wait_until_settled(self) -> None:
        end, require = self.world.now + PATIENCE, self.world.invariants.require
        while not self._is_settled():
            message = f"{PATIENCE} after the last fault: {describe_phases(self.world)}"
            converges = self.world.now <= end + self._longest_overlap()
            still = ", ".join(f"{each.id}: {each.why}" for each in self._open_emergencies())
            require(Invariant.EMERGENCY_ENDS, converges or not still, f"{message}; open: {still}")
            require(Invariant.CONVERGES, converges, message)
            await self._resume_blocked()
            await self._enrol_forgotten()
            self._enable_disabled()
            await self.events.incidents.resume_stale()
            await asyncio.sleep(SWEEP_PERIOD.total_seconds())

    def _longest_overlap(self) -> timedelta:
        """Return the overlap that a running operation may wait for: tags can ask for 7 days."""
        running = [self.world.record(account).operation for account in self.world.ids]
        return max((each.overlap for each in running if each), default=timedelta())

    def _open_emergencies(self) -> list[Emergency]:
        """Return those of our accounts; the neighbours may leave theirs locked."""
        found = self.events.incidents.open_emergencies()
        return [each for each in found if each.account in self.world.ids]

    def _is_settled(self) -> bool:
        accounts = self.world.ids
        if self._open_emergencies():
            return False
        return all(self._is_idle(self.world.record(account)) for account in accounts) and all(
            len(values) <= 1 and all(self.world.accepts(value) for value in values)
            for values in (published_values(self.world, account) for account in accounts)
        )

    def _is_idle(self, record: Record) -> bool:
        """Return whether nothing is left to do.

        Secrets on hold keep their requests, and a shared vault that stays closed is tried again.
        After a lost record, a due rotation waits until the secrets were looked for.
        """
        if record.is_young(self.world.now) and not record.searched:
            return False
        vaults = self.world.azure.keyvault.vaults.values()
        closed = self.plan.shared and not all(vault.open for vault in vaults)
        return (
            record.phase is Phase.IDLE
            and not (record.outbox or record.intent or record.blocked)
            and (self.plan.short_validity or not record.requests)
            and (
                closed
                or record.waiting_until is None
                or record.waiting_until > self.world.now + SOON
            )
        )

    async def _resume_blocked(self) -> None:
        """Answer each blocked operation, as an operator on call does."""
        for account in self.world.ids:
            record = self.world.record(account)
            answered = any(request.kind is RequestKind.RESUME for request in record.requests)
            if record.blocked and record.operation and not answered:
                now = self.world.now
                answer = Request(inbox.new_id(account), RequestKind.RESUME, "go on", "me", now)
                await self.service.with_any_worker(partial(_answer, account, answer))

    async def _enrol_forgotten(self) -> None:
        """Enrol what the service asks to enrol: a recovered secret that shows no current key.

        Only secrets whose binding names neither them nor their account need that.
        """
        for account in self.world.ids:
            known = self.world.record(account).members
            for target in self.world.enrolled(account):
                if str(target) not in known and not self.world.names(target, str(account)):
                    await self.service.with_any_worker(partial(_enrol, account, target))

    def _enable_disabled(self) -> None:
        """Enable secrets that are still disabled, as the service asks.

        People have enabled those that they disabled. A version is left that became the latest, from
        a backup, just before the service disabled it; it never enables what may be a person's wish.
        """
        for account in self.world.ids:
            for target in self.world.enrolled(account):
                if not self.world.latest(target).enabled:
                    self.world.update(target, enabled=True)


async def _enrol(account: AccountId, target: TargetId, worker: Worker) -> None:
    await worker.journal.amend(account, lambda record: admitted(record, target, worker.world.now))


async def _answer(account: AccountId, answer: Request, worker: Worker) -> None:
    await worker.answer(account, answer)
