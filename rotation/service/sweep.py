"""The sweep: visits every account in every vault, spread over the period.

It is the backstop for lost events, queue messages and records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from ..decisions.schedule import due_at
from ..domain.ids import AccountId
from ..domain.operation import Phase
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.targets import ListedSecret
from ..engine.bindings import BindingRegistry
from ..engine.inventory import Inventory, Listing
from ..engine.journal import Journal
from ..engine.outcome import Outcome
from ..runtime import log
from ..runtime.clock import Clock
from .lost_records import LostRecords
from .messages import Visit

CANARIES = 3

Visitor = Callable[[Visit], Awaitable[Outcome]]

Enqueuer = Callable[[Visit, timedelta], Awaitable[None]]


class SweepPlan(Struct, frozen=True):
    """The visits of one sweep, the most urgent first, and the problems of listing secrets."""

    visits: tuple[Visit, ...]
    problems: tuple[str, ...] = ()


class SweepResult(Struct, frozen=True):
    """The result of a sweep. ``stopped`` is why it was cut short, or empty."""

    accounts: int
    visited: int
    enqueued: int
    problems: tuple[str, ...] = ()
    stopped: str = ""


def plan(
    listings: Iterable[Listing], policy: Policy, now: datetime, rate: float, period: timedelta
) -> SweepPlan:
    """Return visits for all due accounts, plus as many others as the rate allows, in rotation."""
    found: dict[AccountId, list[ListedSecret]] = defaultdict(list)
    problems: list[str] = []
    for listing in listings:
        if listing.error is not None:
            problems.append(listing.error.advice)
        for secret in listing.secrets:
            if secret.account is None:
                problems.append(f"{secret.target}: {secret.problem}")
            else:
                found[secret.account].append(secret)
    urgent = sorted(found, key=lambda a: (not _is_due(found[a], policy, now), a.slug))
    kept = [
        a for a in urgent if _is_due(found[a], policy, now) or _in_turn(a, found, now, rate, period)
    ]
    visits = tuple(Visit(a, tuple(s.target for s in found[a])) for a in kept)
    return SweepPlan(visits, tuple(problems))


def _is_due(secrets: list[ListedSecret], policy: Policy, now: datetime) -> bool:
    return any(due_at(s.target, s.created, s.expires, policy) <= now for s in secrets)


def _in_turn(
    account: AccountId,
    found: Mapping[AccountId, object],
    now: datetime,
    rate: float,
    period: timedelta,
) -> bool:
    """Return whether it is the turn of the account's slice: one slice per period."""
    slices = int(len(found) // max(rate * period.total_seconds(), 1)) + 1
    current = int(now.timestamp() // period.total_seconds()) % slices
    return int(account.slug, 16) % slices == current


@dataclass
class Sweep:
    """Visits the first accounts itself and enqueues the rest; ``rate`` is in visits per second."""

    inventory: Inventory
    bindings: BindingRegistry
    lost: LostRecords
    journal: Journal
    policy: Policy
    clock: Clock
    rate: float = 4.0
    period: timedelta = timedelta(minutes=15)

    async def run(self, visit: Visitor, enqueue: Enqueuer) -> SweepResult:
        """Sweep all vaults. A vault that cannot be listed does not affect the others."""
        listings = await self.inventory.listings(refresh=True)
        await self._freeze(listings)
        todo = self.plan(listings)
        for problem in todo.problems:
            log.warning("sweep", problem=problem)
        if listings and all(listing.error for listing in listings):
            return self._stop(todo, 0, "no vault can be listed")
        lost = await self.lost.find(listings)
        visits = (*todo.visits, *await self._forgotten(todo, listings), *lost)
        stopped = await self._canaries(visits[:CANARIES], visit)
        if stopped:
            return self._stop(todo, min(CANARIES, len(visits)), stopped)
        for position, later in enumerate(visits[CANARIES:]):
            await enqueue(later, timedelta(seconds=position / self.rate))
        enqueued = max(len(visits) - CANARIES, 0)
        return SweepResult(len(visits), len(visits) - enqueued, enqueued, todo.problems)

    def plan(self, listings: Iterable[Listing]) -> SweepPlan:
        """Return the accounts that a sweep visits now."""
        return plan(listings, self.policy, self.clock.now(), self.rate, self.period)

    async def _freeze(self, listings: Iterable[Listing]) -> None:
        """After an upgrade with several vaults and no setting: bind what was rotated before."""
        undecided = [
            listing
            for listing in listings
            if listing.error is None and await self.bindings.is_undecided(listing.vault)
        ]
        records = {s.account: await self._record(s) for found in undecided for s in found.secrets}
        lost = (await self.bindings.current()).are_lost
        if lost and any(record and record.frozen_bindings for record in records.values()):
            log.error("bindings lost")
            return
        for listing in undecided:
            rotated = [s for s in listing.secrets if _was_rotated(s, records[s.account])]
            pairs = [(s.target, s.account) for s in rotated if s.account]
            await self.bindings.freeze(listing.vault, pairs)

    async def _record(self, secret: ListedSecret) -> Record | None:
        return await self.journal.find(secret.account.slug) if secret.account else None

    async def _canaries(self, visits: tuple[Visit, ...], visit: Visitor) -> str:
        """Circuit breaker: return why to stop if the first visits all fail with the same error."""
        outcomes = [await visit(canary) for canary in visits]
        codes = Counter(o.failure.code for o in outcomes if o.failure)
        code, count = next(iter(codes.most_common(1)), ("", 0))
        return f"the first {count} accounts all failed: {code}" if count == CANARIES else ""

    async def _forgotten(self, todo: SweepPlan, listings: tuple[Listing, ...]) -> list[Visit]:
        """Return visits for accounts that have members, but none that is listed with our tags."""
        listed = {s.account for listing in listings for s in listing.secrets if s.account}
        known = {account.slug for account in listed}
        forgotten = []
        async for slug in self.journal.slugs():
            record = await self.journal.find(slug) if slug not in known else None
            if record and (record.phase is not Phase.IDLE or record.members or record.seen):
                forgotten.append(Visit(record.account))
        return forgotten

    def _stop(self, todo: SweepPlan, visited: int, reason: str) -> SweepResult:
        log.error("sweep stopped", reason=reason)
        return SweepResult(len(todo.visits), visited, 0, todo.problems, reason)


def _was_rotated(secret: ListedSecret, record: Record | None) -> bool:
    return record is not None and str(secret.target) in record.seen
