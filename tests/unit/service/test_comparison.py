"""A sweep visits the accounts that changed, those that wake up, and some at rest in turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain import standing
from rotation.domain.document import Entry
from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.policy import Policy
from rotation.domain.targets import ListedSecret
from rotation.engine.inventory import Listing
from rotation.service.comparison import LONGEST, Checks, Comparison, checks, shown

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VAULT, OTHER = "https://kv-a", "https://kv-b"
PERIOD = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
NEVER = Checks(LONGEST, NOW, NOW)
ACCOUNT = AccountId("s", "g", "account")


def listed(name: str, vault: str = VAULT, account: AccountId | None = ACCOUNT) -> ListedSecret:
    problem = "" if account else "its address is wrong"
    return ListedSecret(TargetId(vault, name), account, problem=problem, updated=NOW)


ONE, TWO = listed("one"), listed("two", OTHER)


def index(*secrets: ListedSecret, wake: datetime = NOW + SECOND) -> dict[str, Entry]:
    digest = standing.digest(map(shown, secrets), Policy())
    text = f"1 {int(wake.timestamp())} {digest:032x}"
    return {ACCOUNT.slug: Entry(ACCOUNT.slug, "stamp", text)}


def compared(known: dict[str, Entry], *secrets: ListedSecret, due: Checks = NEVER) -> Comparison:
    found = Comparison(known, Policy(), due)
    for vault in (VAULT, OTHER):
        here = tuple(secret for secret in secrets if secret.target.vault == vault)
        found.take(Listing(vault, NOW, here))
    return found


def test_an_account_that_stands_as_it_was_left_is_not_visited() -> None:
    found = compared(index(ONE, TWO), ONE, TWO)
    assert (found.changed, found.routine) == ({}, {})
    assert found.listed == {ACCOUNT.slug}


@pytest.mark.parametrize("known", [{}, index(ONE), index(ONE, TWO, listed("three"))])
def test_one_that_was_not_left_so_is_visited_with_its_secrets(known: dict[str, Entry]) -> None:
    found = compared(known, ONE, TWO).changed[ACCOUNT]
    assert TWO in found


def test_one_that_no_listing_shows_is_not_listed() -> None:
    assert compared(index(ONE)).listed == frozenset()


def test_one_whose_wake_up_has_passed_is_visited_and_due() -> None:
    found = compared(index(ONE, TWO, wake=NOW), ONE, TWO)
    assert found.changed == {ACCOUNT: [ONE, TWO]}
    assert found.awake == {ACCOUNT}


def test_one_that_changed_need_not_be_due() -> None:
    assert compared(index(ONE), ONE, TWO).awake == set()
    assert compared(index(ONE, wake=NOW), ONE, TWO).awake == set(), "its due date may have changed"


def test_vaults_and_tags_that_cannot_be_read_are_problems_only() -> None:
    error = Permanent("403 Forbidden", code="ForbiddenByRbac", remedy="grant it")
    found = compared(index(ONE), ONE, listed("bad", account=None))
    found.take(Listing("https://kv-c", NOW, error=error))
    assert len(found.problems) == 2
    assert found.changed == {}


def test_an_account_at_rest_is_looked_at_in_turn() -> None:
    always = Checks(PERIOD, NOW - PERIOD, NOW)
    found = compared(index(ONE, TWO), ONE, TWO, due=always)
    assert (found.changed, found.routine) == ({}, {ACCOUNT: [ONE, TWO]})


SLUGS = [AccountId("s", "g", f"account-{n}").slug for n in range(2000)]


def test_each_sweep_looks_at_all_accounts_of_a_fleet_that_fits() -> None:
    for accounts in (0, 1, 3600):
        found = checks(accounts, 3600, PERIOD, NOW - SECOND, NOW)
        assert found.every == PERIOD
        assert all(map(found.is_due, SLUGS))


def test_a_larger_fleet_takes_turns_that_are_spread_evenly() -> None:
    every = checks(7201, 3600, PERIOD, None, NOW).every
    assert every == 3 * PERIOD
    sizes, seen = [], set()
    for step in range(3):
        at = NOW + step * PERIOD
        due = {slug for slug in SLUGS if checks(7201, 3600, PERIOD, at, at + PERIOD).is_due(slug)}
        sizes.append(len(due))
        seen |= due
    assert len(seen) == len(SLUGS)
    assert max(sizes) < 0.4 * len(SLUGS)


def test_no_account_waits_for_more_than_six_hours() -> None:
    assert checks(10**6, 3600, PERIOD, None, NOW).every == LONGEST == timedelta(hours=6)


def test_turns_that_a_sweep_missed_are_made_up_for_by_the_next_one() -> None:
    half, day = NOW - LONGEST / 2, NOW - timedelta(days=1)
    late = checks(10**6, 3600, PERIOD, half, NOW)
    assert 0.45 < sum(map(late.is_due, SLUGS)) / len(SLUGS) < 0.55
    assert all(map(checks(10**6, 3600, PERIOD, day, NOW).is_due, SLUGS))


@pytest.mark.parametrize("last", [None, NOW + SECOND])
def test_without_an_earlier_sweep_the_turns_of_one_period_are_due(last: datetime | None) -> None:
    assert checks(10**6, 3600, PERIOD, last, NOW).since == NOW - PERIOD


def test_nothing_is_due_again_at_once() -> None:
    found = checks(10**6, 3600, PERIOD, NOW, NOW)
    assert not any(map(found.is_due, SLUGS))
