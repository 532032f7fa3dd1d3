"""The sweep: visits every account in every vault, spread over the period.

It is the backstop for lost events, queue messages and records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from ..decisions.due import due_at, of_listing
from ..domain.errors import RotationError, Unreadable
from ..domain.ids import AccountId
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
    """The result of a sweep. ``stopped`` is why it was cut short, or empty.

    ``unread`` are the vaults and documents that could not be read.
    """

    accounts: int
    visited: int
    enqueued: int
    problems: tuple[str, ...] = ()
    stopped: str = ""
    unread: tuple[str, ...] = ()


def plan(
    listings: Iterable[Listing],
    records: Mapping[str, Record],
    policy: Policy,
    now: datetime,
    rate: float,
    period: timedelta,
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
    due = {a for a in found if _is_due(found[a], records.get(a.slug), policy, now)}
    urgent = sorted(found, key=lambda a: (a not in due, a.slug))
    kept = [a for a in urgent if a in due or _in_turn(a, found, now, rate, period)]
    visits = tuple(Visit(a, tuple(s.target for s in found[a])) for a in kept)
    return SweepPlan(visits, tuple(problems))


def _is_due(
    secrets: list[ListedSecret], record: Record | None, policy: Policy, now: datetime
) -> bool:
    return any(due_at(of_listing(s, record, policy)) <= now for s in secrets)


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
        visits = (*todo.visits, *forgotten, *lost)
        outcomes = [await visit(canary) for canary in visits[:CANARIES]]
        stopped = self._fault(outcomes)
        if stopped:
            return self._stop(len(visits), len(outcomes), stopped, problems)
        for position, later in enumerate(visits[CANARIES:]):
            await enqueue(later, timedelta(seconds=position / self.rate))
        enqueued = len(visits) - len(outcomes)
        unread = (*(x.vault for x in listings if x.error), *(str(found) for found in unreadable))
        return SweepResult(len(visits), len(outcomes), enqueued, problems, unread=unread)

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
