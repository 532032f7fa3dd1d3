"""The sweep: visits every account in every vault, spread over the period.

It is the backstop for lost events, queue messages and records.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from msgspec import Struct

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
from .lost_records import LostRecords
from .messages import Visit
from .sweep_plan import Start, SweepPlan, plan

CANARIES = 3

AT_ONCE = 32  # messages that are put into the queue at the same time

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

    async def run(self, visit: Visitor, enqueue: Enqueuer) -> SweepResult:
        """Sweep all vaults; only a fault of the service itself stops it. Never raises.

        A vault, secret, account or document that fails does not affect the others.
        """
        try:
            return await self._run(visit, enqueue)
        except RotationError as exc:
            return self._stop(0, 0, exc.advice)

    async def _run(self, visit: Visitor, enqueue: Enqueuer) -> SweepResult:
        listings = await self.inventory.listings(refresh=True)
        errors = [listing.error for listing in listings]
        if errors and all(error and error.of_service for error in errors):
            return self._stop(0, 0, f"no vault can be listed: {errors[0]}")
        await self._freeze(listings)
        records = await self._known()
        todo, lost = self._planned(listings, records), await self.lost.find(listings, records)
        forgotten, unreadable = await self._forgotten(listings)
        problems = (*todo.problems, *(found.advice for found in unreadable))
        for problem in problems:
            log.warning("sweep", problem=problem)
        starts = (*todo.starts, *self._spread((*forgotten, *lost)))
        outcomes = await gather_limited(visit(canary.visit) for canary in starts[:CANARIES])
        stopped = self._fault(outcomes)
        if stopped:
            return self._stop(len(starts), len(outcomes), stopped, problems)
        rest = starts[CANARIES:]
        await gather_limited((enqueue(one.visit, one.delay) for one in rest), AT_ONCE)
        unread = (*(x.vault for x in listings if x.error), *(str(found) for found in unreadable))
        return SweepResult(len(starts), len(outcomes), len(rest), problems, unread=unread)

    def _spread(self, visits: Iterable[Visit]) -> list[Start]:
        """Return visits to accounts that no listing names, which are few."""
        return [Start(v, timedelta(seconds=n / self.rate)) for n, v in enumerate(visits)]

    async def plan(self, listings: Iterable[Listing]) -> SweepPlan:
        """Return the accounts that a sweep visits now."""
        return self._planned(listings, await self._known())

    def _planned(self, listings: Iterable[Listing], records: Mapping[str, Record]) -> SweepPlan:
        return plan(listings, records, self.policy, self.clock.now(), self.rate, self.period)

    async def _known(self) -> Mapping[str, Record]:
        """Return the records. If they cannot be read, the listings alone order the visits."""
        try:
            return await self._records.records()
        except RotationError as exc:
            log.warning("sweep", problem=exc.advice)
            return {}

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

    async def _forgotten(
        self, listings: tuple[Listing, ...]
    ) -> tuple[list[Visit], list[Unreadable]]:
        """Return visits for accounts that have members, but none that is listed with our tags.

        The other part of the pair are the documents that cannot be read.
        """
        listed = {s.account for listing in listings for s in listing.secrets if s.account}
        known = {account.slug for account in listed}
        unlisted = [slug async for slug in self.journal.slugs() if slug not in known]
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
