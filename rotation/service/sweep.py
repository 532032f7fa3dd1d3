"""The sweep: visits every account in every vault, spread over the period.

It is the backstop for lost events, queue messages and records.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ..domain import standing
from ..domain.document import Entry
from ..domain.errors import RotationError, Unreadable
from ..domain.operation import Phase
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.targets import ListedSecret
from ..engine.bindings import BindingRegistry
from ..engine.inventory import Inventory, Listing
from ..engine.journal import Journal
from ..engine.outcome import Outcome
from ..engine.record_cache import RecordCache
from ..runtime import log
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .comparison import Comparison, checks
from .lost_records import LostRecords
from .messages import Visit
from .sweep_plan import Start, SweepPlan, plan

CANARIES = 3

AT_ONCE = 96  # messages put at the same time: fewer than the connections of a storage client

Visitor = Callable[[Visit], Coroutine[Any, Any, Outcome]]

Enqueuer = Callable[[Visit, timedelta], Coroutine[Any, Any, None]]


class SweepResult(Struct, frozen=True):
    """The result of a sweep. ``stopped`` is why it was cut short, or empty.

    ``unread`` are the vaults and documents that could not be read.
    """

    accounts: int
    visited: int
    enqueued: int
    problems: tuple[str, ...] = ()
    stopped: str = ""
    unread: tuple[str, ...] = ()


@dataclass
class Sweep:
    """Visits the first accounts itself and enqueues the rest.

    ``rate`` is in looks per second and subscription; see ``decisions.pacing`` for the other limits.
    """

    inventory: Inventory
    bindings: BindingRegistry
    lost: LostRecords
    journal: Journal
    policy: Policy
    clock: Clock
    rate: float = 4.0
    period: timedelta = timedelta(minutes=15)
    _records: RecordCache = field(init=False)

    def __post_init__(self) -> None:
        self._records = RecordCache(self.journal)

    async def run(
        self, visit: Visitor, enqueue: Enqueuer, last: datetime | None = None
    ) -> SweepResult:
        """Sweep all vaults; only a fault of the service itself stops it. Never raises.

        A vault, secret, account or document that fails does not affect the others. ``last`` is the
        time of the last sweep that was not cut short.
        """
        try:
            return await self._run(visit, enqueue, last)
        except RotationError as exc:
            return self._stop(0, 0, exc.advice)

    async def _run(
        self, visit: Visitor, enqueue: Enqueuer, last: datetime | None = None
    ) -> SweepResult:
        compared = self._comparison(await self._index(), last)
        seen = [await self._take(listing, compared) async for listing in self.inventory.each()]
        errors = [listing.error for listing in seen]
        if errors and all(error and error.of_service for error in errors):
            return self._stop(0, 0, f"no vault can be listed: {errors[0]}")
        await self._freeze(seen)
        records = await self._records.of(self._wanted(compared))
        todo, lost = self._planned(compared, records), await self.lost.find(seen, records)
        forgotten, unreadable = await self._forgotten(compared)
        problems = (*todo.problems, *(found.advice for found in unreadable))
        for problem in problems:
            log.warning("sweep", problem=problem)
        starts = (*todo.starts, *self._spread((*forgotten, *lost)))
        outcomes = await gather_limited(visit(canary.visit) for canary in starts[:CANARIES])
        stopped = self._fault(outcomes)
        if stopped:
            return self._stop(len(starts), len(outcomes), stopped, problems)
        rest = starts[CANARIES:]
        await self.hand_over(rest, enqueue)
        unread = (*(x.vault for x in seen if x.error), *(str(found) for found in unreadable))
        return SweepResult(len(starts), len(outcomes), len(rest), problems, unread=unread)

    async def hand_over(self, starts: Iterable[Start], enqueue: Enqueuer) -> None:
        """Enqueue visits; the time that this takes is a part of their delays."""
        begun = self.clock.now()

        async def put(one: Start) -> None:
            spent = self.clock.now() - begun
            await enqueue(one.visit, max(one.delay - spent, timedelta()))

        await gather_limited((put(one) for one in starts), AT_ONCE)

    def _spread(self, visits: Iterable[Visit]) -> list[Start]:
        """Return visits to accounts that no listing names, which are few."""
        return [Start(v, timedelta(seconds=n / self.rate)) for n, v in enumerate(visits)]

    async def plan(self, listings: Iterable[Listing]) -> SweepPlan:
        """Return the accounts that a sweep visits now."""
        compared = self._comparison(await self._index())
        for listing in listings:
            compared.take(listing)
        return self._planned(compared, await self._records.of(self._wanted(compared)))

    def _planned(self, compared: Comparison, records: Mapping[str, Record]) -> SweepPlan:
        return plan(compared, records, self.policy, self.clock.now(), self.rate, self.period)

    def _comparison(self, index: Mapping[str, Entry], last: datetime | None = None) -> Comparison:
        now, a_sweep = self.clock.now(), self.rate * self.period.total_seconds()
        return Comparison(index, self.policy, checks(len(index), a_sweep, self.period, last, now))

    async def _take(self, listing: Listing, compared: Comparison) -> Listing:
        """Compare a listing, and return it without the secrets, unless a later step needs them."""
        compared.take(listing)
        if listing.error is None and await self.bindings.is_undecided(listing.vault):
            return listing
        return replace(listing, secrets=(), names=listing.untagged)

    async def _index(self) -> Mapping[str, Entry]:
        """Return the index by slug. Raises RotationError if the journal cannot be listed."""
        return {entry.name: entry async for entry in self.journal.entries()}

    def _wanted(self, compared: Comparison) -> Mapping[str, str]:
        """Return the stamps of the records that the sweep needs: not those of accounts at rest."""
        changed = {a.slug for a in compared.changed if a not in compared.awake}
        return {
            slug: entry.stamp
            for slug, entry in compared.index.items()
            if slug in changed or not entry.index
        }

    async def _freeze(self, listings: Iterable[Listing]) -> None:
        """Bind secrets that an earlier version rotated, in several vaults without a setting."""
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
        found = await self._find(secret.account.slug) if secret.account else None
        return found if isinstance(found, Record) else None

    def _fault(self, outcomes: list[Outcome]) -> str:
        """Return, as a circuit breaker, why no account can be rotated now, or an empty string."""
        skew = abs(self.clock.skew)
        if skew > self.policy.max_skew:
            return f"this machine's clock is off by {int(skew.total_seconds())} s; correct it"
        is_down = bool(outcomes) and all(outcome.of_service for outcome in outcomes)
        return outcomes[0].reason if is_down else ""

    async def _forgotten(self, compared: Comparison) -> tuple[list[Visit], list[Unreadable]]:
        """Return visits for accounts that have members, but none that is listed with our tags.

        The other part of the pair are the documents that cannot be read.
        """
        listed = compared.listed
        unlisted = [
            slug
            for slug, entry in compared.index.items()
            if slug not in listed and not standing.is_unused(entry.index)
        ]
        found = [await self._find(slug) for slug in unlisted]
        records = [record for record in found if isinstance(record, Record)]
        forgotten = [Visit(record.account) for record in records if _is_used(record)]
        return forgotten, [record for record in found if isinstance(record, Unreadable)]

    async def _find(self, slug: str) -> Record | Unreadable | None:
        try:
            return await self.journal.find(slug)
        except Unreadable as exc:
            return exc

    def _stop(
        self, accounts: int, visited: int, reason: str, problems: tuple[str, ...] = ()
    ) -> SweepResult:
        log.error("sweep stopped", reason=reason)
        return SweepResult(accounts, visited, 0, problems, reason)


def _is_used(record: Record) -> bool:
    return record.phase is not Phase.IDLE or bool(record.members or record.seen)


def _was_rotated(secret: ListedSecret, record: Record | None) -> bool:
    return record is not None and str(secret.target) in record.seen
