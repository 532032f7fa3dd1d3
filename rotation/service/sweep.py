"""The timer's part: every account in every vault gets a visit, spread over the period.

The backstop for everything that was lost: events, queue messages, records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..decisions import schedule as due
from ..domain.model import AccountId
from ..domain.policy import Policy
from ..domain.record import Phase
from ..engine.inventory import Inventory, Listing
from ..engine.journal import Journal
from ..engine.outcome import Outcome
from ..ports import Listed
from ..runtime import log
from .messages import Visit

CANARIES = 3

Visitor = Callable[[Visit], Awaitable[Outcome]]

Enqueuer = Callable[[Visit, timedelta], Awaitable[None]]


@dataclass(frozen=True)
class Plan:
    """Which accounts to visit now, the most urgent first, and what could not be read."""

    visits: tuple[Visit, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Swept:
    """How a sweep ended. ``stopped`` is the circuit breaker's reason."""

    accounts: int
    visited: int
    enqueued: int
    problems: tuple[str, ...] = ()
    stopped: str = ""


def plan(
    listings: Iterable[Listing], policy: Policy, now: datetime, rate: float, period: timedelta
) -> Plan:
    """Accounts that are due always; of the others as many as the rate allows, in turn."""
    found: dict[AccountId, list[Listed]] = defaultdict(list)
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
    return Plan(visits, tuple(problems))


def _is_due(secrets: list[Listed], policy: Policy, now: datetime) -> bool:
    return any(
        s.expires is None or s.expires - policy.lead - policy.spread * due.share(s.target) <= now
        for s in secrets
    )


def _in_turn(
    account: AccountId,
    found: Mapping[AccountId, object],
    now: datetime,
    rate: float,
    period: timedelta,
) -> bool:
    """A fleet too large for one period is taken in slices, one after the other."""
    slices = int(len(found) // max(rate * period.total_seconds(), 1)) + 1
    current = int(now.timestamp() // period.total_seconds()) % slices
    return int(account.slug, 16) % slices == current


@dataclass
class Sweep:
    """Lists the vaults, tries a few accounts itself, and hands the rest to the queue."""

    inventory: Inventory
    journal: Journal
    policy: Policy
    rate: float = 4.0
    period: timedelta = timedelta(minutes=15)

    async def run(self, visit: Visitor, enqueue: Enqueuer) -> Swept:
        """One pass over all vaults; one that cannot be listed does not hide the others."""
        listings = await self.inventory.listings(refresh=True)
        now = self.inventory.clock.now()
        todo = plan(listings, self.policy, now, self.rate, self.period)
        for problem in todo.problems:
            log.warning("sweep", problem=problem)
        if listings and all(listing.error for listing in listings):
            return self._stop(todo, 0, "no vault can be listed")
        visits = (*todo.visits, *await self._forgotten(todo, listings))
        stopped = await self._canaries(visits[:CANARIES], visit)
        if stopped:
            return self._stop(todo, min(CANARIES, len(visits)), stopped)
        for position, later in enumerate(visits[CANARIES:]):
            await enqueue(later, timedelta(seconds=position / self.rate))
        enqueued = max(len(visits) - CANARIES, 0)
        return Swept(len(visits), len(visits) - enqueued, enqueued, todo.problems)

    async def _canaries(self, visits: tuple[Visit, ...], visit: Visitor) -> str:
        """The circuit breaker: where the first few all fail alike, the rest are left alone."""
        outcomes = [await visit(canary) for canary in visits]
        codes = Counter(o.trouble.code for o in outcomes if o.trouble)
        code, count = next(iter(codes.most_common(1)), ("", 0))
        return f"the first {count} accounts all failed: {code}" if count == CANARIES else ""

    async def _forgotten(self, todo: Plan, listings: tuple[Listing, ...]) -> list[Visit]:
        """Operations under way for accounts that no listing names (any more)."""
        listed = {s.account for listing in listings for s in listing.secrets if s.account}
        known = {account.slug for account in listed}
        forgotten = []
        async for slug in self.journal.slugs():
            record = await self.journal.find(slug) if slug not in known else None
            if record and record.phase is not Phase.IDLE:
                forgotten.append(Visit(record.account))
        return forgotten

    def _stop(self, todo: Plan, visited: int, reason: str) -> Swept:
        log.error("sweep stopped", reason=reason)
        return Swept(len(todo.visits), visited, 0, todo.problems, reason)
