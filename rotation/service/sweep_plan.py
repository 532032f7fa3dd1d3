"""The plan of a sweep: which accounts it visits, in which order, and when. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from ..decisions import pacing
from ..decisions.due import due_at, of_listing
from ..decisions.pacing import Demand
from ..domain.ids import AccountId
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.targets import ListedSecret
from .comparison import Comparison
from .messages import Visit


class Start(Struct, frozen=True):
    """A visit, and how long after the sweep it starts."""

    visit: Visit
    delay: timedelta


class SweepPlan(Struct, frozen=True):
    """The visits of one sweep, the most urgent first, and the problems of listing secrets."""

    starts: tuple[Start, ...]
    problems: tuple[str, ...] = ()

    @property
    def visits(self) -> tuple[Visit, ...]:
        return tuple(start.visit for start in self.starts)


def plan(
    compared: Comparison,
    records: Mapping[str, Record],
    policy: Policy,
    now: datetime,
    rate: float,
    period: timedelta,
) -> SweepPlan:
    """Return visits for all due accounts, plus as many others as the rate allows, in rotation.

    What does not fit into the period is left to the next sweep. An account at rest whose time to
    be looked at has come waits for no turn.
    """
    changed = compared.changed
    found = {**changed, **compared.routine}
    due = {
        account
        for account, secrets in changed.items()
        if account in compared.awake or _is_due(secrets, records.get(account.slug), policy, now)
    }
    counts = Counter(account.subscription for account in changed)
    turns = {sub: pacing.turns(count, rate, period) for sub, count in counts.items()}
    in_turn = [a for a in changed if a in due or _in_turn(a, turns[a.subscription], now, period)]
    urgent = sorted(
        (*in_turn, *compared.routine),
        key=lambda a: (a not in due, a in compared.routine, _failures(a, records), a.slug),
    )
    demands = [_demand(account, found[account], account in due) for account in urgent]
    starts = tuple(
        Start(_visit(account, found[account], account in due), delay)
        for account, seconds in zip(urgent, pacing.starts(demands, rate), strict=True)
        if (delay := timedelta(seconds=seconds)) <= _latest(period, account in compared.routine)
    )
    return SweepPlan(starts, tuple(compared.problems))


def _latest(period: timedelta, at_rest: bool) -> timedelta:
    """Return how late a visit may start. A look at rest costs little of the next sweep."""
    return period if at_rest else period - pacing.PAUSE


def _failures(account: AccountId, records: Mapping[str, Record]) -> int:
    """Return how often an account failed in a row: it must not keep others from their turn."""
    record = records.get(account.slug)
    return record.failures if record else 0


def _visit(account: AccountId, secrets: list[ListedSecret], due: bool) -> Visit:
    return Visit(account, tuple(s.target for s in secrets), routine=not due)


def _demand(account: AccountId, secrets: list[ListedSecret], due: bool) -> Demand:
    vaults = {secret.target.vault for secret in secrets}
    return Demand(account.subscription.lower(), tuple(vaults), due)


def _is_due(
    secrets: list[ListedSecret], record: Record | None, policy: Policy, now: datetime
) -> bool:
    return any(due_at(of_listing(s, record, policy)) <= now for s in secrets)


def _in_turn(account: AccountId, turns: int, now: datetime, period: timedelta) -> bool:
    """Return whether it is the turn of the account's slice: one slice per period."""
    current = int(now.timestamp() // period.total_seconds()) % turns
    return int(account.slug, 16) % turns == current
