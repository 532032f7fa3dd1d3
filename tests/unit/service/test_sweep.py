"""The sweep's plan: due accounts first, the rest in turn, problems named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.targets import ListedSecret
from rotation.engine.inventory import Listing
from rotation.runtime.clock import Clock
from rotation.service.comparison import Comparison, checks
from rotation.service.messages import Visit
from rotation.service.sweep import AT_ONCE, Sweep
from rotation.service.sweep_plan import Start, SweepPlan
from rotation.service.sweep_plan import plan as planned_for

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VAULT = "https://kv-a.vault.azure.net"
PERIOD = timedelta(minutes=15)


def listed(number: int, lives: timedelta | None = timedelta(days=80)) -> ListedSecret:
    account = AccountId("s", "g", f"account-{number}")
    expires = NOW + lives if lives is not None else None
    return ListedSecret(TargetId(VAULT, f"secret-{number}"), account, expires)


def plan(
    listings: Iterable[Listing],
    records: Mapping[str, Record],
    policy: Policy,
    now: datetime,
    rate: float,
    period: timedelta,
) -> SweepPlan:
    """Plan a sweep of a fleet that no visit has left at rest."""
    compared = Comparison({}, policy, checks(0, rate, period, None, now))
    for listing in listings:
        compared.take(listing)
    return planned_for(compared, records, policy, now, rate, period)


def planned(*secrets: ListedSecret, now: datetime = NOW, rate: float = 4) -> list[AccountId]:
    found = plan([Listing(VAULT, NOW, secrets)], {}, Policy(), now, rate, PERIOD)
    return [visit.account for visit in found.visits]


async def test_the_time_to_enqueue_visits_is_a_part_of_their_delays() -> None:
    nothing: Any = None
    times = [NOW]
    clock = Clock(lambda: times[0])
    sweep = Sweep(nothing, nothing, nothing, nothing, Policy(), clock)
    second = timedelta(seconds=1)
    starts = [Start(Visit(listed(n).account or nothing), n * second) for n in range(2 * AT_ONCE)]
    delays: list[float] = []

    async def enqueue(visit: Visit, delay: timedelta) -> None:
        delays.append(delay.total_seconds())
        if len(delays) == AT_ONCE:
            times[0] += (AT_ONCE + 10) * second
        await asyncio.sleep(0)

    await sweep.hand_over(starts, enqueue)
    assert delays[:AT_ONCE] == list(range(AT_ONCE))
    assert delays[AT_ONCE:] == [0] * 10 + list(range(AT_ONCE - 10))


def test_one_account_is_visited_once_with_all_its_secrets() -> None:
    account = AccountId("s", "g", "shared")
    secrets = [ListedSecret(TargetId(VAULT, name), account) for name in ("one", "two")]
    found = plan([Listing(VAULT, NOW, tuple(secrets))], {}, Policy(), NOW, 4, PERIOD)
    (visit,) = found.visits
    assert {target.name for target in visit.targets} == {"one", "two"}


def test_a_visit_to_an_account_that_is_due_is_a_full_one() -> None:
    secrets = (listed(1), listed(2, timedelta(days=5)))
    found = plan([Listing(VAULT, NOW, secrets)], {}, Policy(), NOW, 4, PERIOD)
    assert [visit.routine for visit in found.visits] == [False, True]


def test_due_accounts_come_first() -> None:
    secrets = [listed(number) for number in range(10)]
    due = listed(99, timedelta(days=5))
    assert planned(*secrets, due)[0] == due.account
    assert planned(*secrets, listed(98, None))[0] == listed(98).account


def test_a_fleet_too_large_for_one_period_is_visited_in_slices_and_none_is_left_out() -> None:
    secrets = [listed(number) for number in range(1000)]
    visited: set[AccountId] = set()
    sizes = []
    for step in range(4):
        part = planned(*secrets, now=NOW + step * PERIOD, rate=0.5)
        sizes.append(len(part))
        visited.update(part)
    assert len(visited) == 1000
    assert max(sizes) < 600


def test_due_accounts_are_in_every_slice() -> None:
    secrets = [listed(number) for number in range(1000)]
    due = listed(1000, timedelta(days=1))
    for step in range(4):
        assert due.account in planned(*secrets, due, now=NOW + step * PERIOD, rate=0.5)


def test_unreadable_tags_and_vaults_are_reported_as_problems_only() -> None:
    good, bad = (
        listed(1),
        ListedSecret(TargetId(VAULT, "bad"), None, problem="tag ProviderAddress: no"),
    )
    error = Permanent("403 Forbidden", code="ForbiddenByRbac", remedy="grant it")
    listings = [Listing(VAULT, NOW, (good, bad)), Listing("https://kv-b", NOW, error=error)]
    found = plan(listings, {}, Policy(), NOW, 4, PERIOD)
    assert [visit.account for visit in found.visits] == [good.account]
    assert len(found.problems) == 2
    assert "secrets/bad: tag ProviderAddress" in found.problems[0]


def due(count: int) -> list[ListedSecret]:
    return [listed(number, timedelta(days=5)) for number in range(count)]


def test_visits_start_when_their_calls_fit() -> None:
    found = plan([Listing(VAULT, NOW, tuple(due(100)))], {}, Policy(), NOW, 4, PERIOD)
    delays = [start.delay.total_seconds() for start in found.starts]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (0, 15)


def test_what_does_not_fit_into_the_period_is_left_to_the_next_sweep() -> None:
    found = plan([Listing(VAULT, NOW, tuple(due(4000)))], {}, Policy(), NOW, 4, PERIOD)
    last = PERIOD - timedelta(seconds=20)
    assert last - timedelta(seconds=1) < found.starts[-1].delay <= last
    assert len(found.starts) < 4000


def test_a_sweep_has_time_for_as_many_looks_at_rest_as_its_rate_and_period_allow() -> None:
    compared = Comparison({}, Policy(), checks(3600, 3600, PERIOD, None, NOW))
    compared.routine = {s.account: [s] for s in map(listed, range(3600)) if s.account}
    found = planned_for(compared, {}, Policy(), NOW, 4, PERIOD)
    assert len(found.starts) == 3600
    assert found.starts[-1].delay <= PERIOD


def test_accounts_that_fail_do_not_keep_others_from_their_turn() -> None:
    secrets = due(4000)
    planned = plan([Listing(VAULT, NOW, tuple(secrets))], {}, Policy(), NOW, 4, PERIOD).visits
    failing = {
        visit.account.slug: Record(visit.account, "salt", failures=1) for visit in planned[:-1]
    }
    found = plan([Listing(VAULT, NOW, tuple(secrets))], failing, Policy(), NOW, 4, PERIOD).visits
    others = [visit for visit in found if visit.account.slug not in failing]
    assert others
    assert list(found[: len(others)]) == others
