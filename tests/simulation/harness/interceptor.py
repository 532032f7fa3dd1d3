"""Intercepts every call of a worker: latency, faults, crashes, and a trace."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from .faults import BY_NAME, EFFECTS, FREEZE, LATE, Fault
from .virtual_time import VirtualLoop

if TYPE_CHECKING:
    from emulator.azure import Azure

T = TypeVar("T")
FaultRule = Callable[[str, int], str | None]
# When the running step read the facts that it decides on.
FACTS_AT: ContextVar[datetime | None] = ContextVar("FACTS_AT", default=None)


class Crash(BaseException):
    """The worker has crashed. Not an Exception, so that nothing in it catches this."""


class Process(Protocol):
    """A worker, as the interceptor sees it."""

    name: str
    dead: bool
    phase: str

    @property
    def skewed(self) -> bool: ...


@dataclass(slots=True)
class Actor:
    """The worker that is changing Azure, and when it read its facts."""

    process: Process
    facts_at: datetime
    late: bool = False


@dataclass
class Interceptor:
    """``planned_faults`` are by the number of the call, ``rules`` by its name and number.

    ``injected`` lists the faults that were injected as (call, fault, phase); ``call_sites`` lists
    where one could be; ``failed_at`` has the last fault of each call. ``accepted_keys`` are the
    keys that the data plane accepted from a worker. ``accepts_any_key`` makes the data plane accept
    every key, which proves nothing. ``probe_watchers`` see each value that is sent to a data plane.
    """

    azure: Azure
    planned_faults: dict[int, str] = field(default_factory=dict)
    rules: list[FaultRule] = field(default_factory=list)
    latency: Callable[[], float] | None = None
    calls: list[str] = field(default_factory=list)
    call_counts: Counter[str] = field(default_factory=Counter)
    injected: list[tuple[str, str, str]] = field(default_factory=list)
    failed_at: dict[str, datetime] = field(default_factory=dict)
    call_sites: set[tuple[str, str]] = field(default_factory=set)
    trace: list[str] = field(default_factory=list)
    actor: Actor | None = None
    accepted_keys: set[str] = field(default_factory=set)
    accepts_any_key: bool = False
    probe_watchers: list[Callable[[set[str]], None]] = field(default_factory=list)

    async def call(
        self, by: Process, name: str, effect: Callable[[], T], fail: Callable[[Fault], T]
    ) -> T:
        """Make one call. ``effect`` is what the service does, ``fail`` how its failure looks."""
        number, count = len(self.calls), self.call_counts[name]
        self.calls.append(name)
        self.call_counts[name] += 1
        self.call_sites.add((name, by.phase))
        if name == "arm.get_account":
            FACTS_AT.set(self.azure.clock.now())
        if self.latency:
            await asyncio.sleep(self.latency())
        if by.dead:
            raise Crash(by.name)
        found = self.planned_faults.get(number) if self.planned_faults else None
        if found is None and self.rules:
            found = self._rule_fault(name, count)
        if found is None:
            return self._do(by, effect) if name in EFFECTS else effect()
        self.injected.append((name, found, by.phase))
        self.failed_at[name] = self.azure.clock.now()
        self.note(f"{by.name}: {found} at {name} ({by.phase})")
        return await self._faulty(BY_NAME[found], by, effect, fail)

    def _rule_fault(self, name: str, count: int) -> str | None:
        return next((f for f in (rule(name, count) for rule in self.rules) if f), None)

    async def _faulty(
        self, fault: Fault, by: Process, effect: Callable[[], T], fail: Callable[[Fault], T]
    ) -> T:
        if fault.late:
            self._delay(by, effect)
            return fail(fault)
        if fault.freeze and not fault.done:
            await self.pause(FREEZE.total_seconds())
            return self._do(by, effect)
        result = self._do(by, effect) if fault.done else None
        if fault.freeze:
            await self.pause(FREEZE.total_seconds())
            return result  # type: ignore[return-value]
        if fault.crash:
            by.dead = True
            raise Crash(by.name)
        return fail(fault)

    def _do(self, by: Process, effect: Callable[[], T], actor: Actor | None = None) -> T:
        before = self.actor
        self.actor = actor or Actor(by, FACTS_AT.get() or self.azure.clock.now())
        try:
            return effect()
        finally:
            self.actor = before

    def _delay(self, by: Process, effect: Callable[[], object]) -> None:
        """Carry the effect out later, when no worker waits for it."""
        actor = Actor(by, FACTS_AT.get() or self.azure.clock.now(), late=True)

        def arrive() -> None:
            self.note("a delayed request is carried out")
            try:
                self._do(by, effect, actor)
            except Exception as exc:  # noqa: BLE001 - a service may refuse it
                self.note(f"it is refused: {type(exc).__name__}")

        self.azure.clock.schedule(self.azure.clock.now() + LATE, arrive)

    async def pause(self, seconds: float) -> None:
        """Let time pass for this worker; if it is the only one, for the world."""
        if isinstance(asyncio.get_running_loop(), VirtualLoop):
            await asyncio.sleep(seconds)
        else:
            self.azure.advance(timedelta(seconds=seconds))

    def watch_probe(self, values: set[str]) -> None:
        for watch in self.probe_watchers:
            watch(values)

    def note(self, what: str) -> None:
        self.trace.append(f"{self.azure.clock.now():%d %H:%M:%S} #{len(self.calls)} {what}")
