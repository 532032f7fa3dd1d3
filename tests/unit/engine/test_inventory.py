"""The listings of the vaults, and the secrets that are read by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Permanent, RotationError
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.targets import ListedSecret
from rotation.engine.bindings import BindingRegistry
from rotation.engine.inventory import FRESH, LARGE, Inventory, Listing
from rotation.runtime.clock import Clock

from .vaults import Vaults, refused

START = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B = "https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net"
ACCOUNT, OTHER = AccountId("s", "g", "acct"), AccountId("s", "g", "other")
STRANGE = AccountId("s2", "g", "acct")
ONE, TWO, FAR = TargetId(A, "one"), TargetId(A, "two"), TargetId(B, "far")
OURS, THEIRS = {"ProviderAddress": str(ACCOUNT)}, {"ProviderAddress": str(OTHER)}
BOUND = "kv-a=/subscriptions/s,kv-b=/subscriptions/s"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def vaults() -> Vaults:
    found = Vaults((A, B))
    for target, tags in ((TWO, OURS), (ONE, OURS), (FAR, OURS)):
        found.add(target, START, tags)
    found.add(TargetId(A, "other"), START, THEIRS)
    found.add(TargetId(A, "plain"), START, {})
    return found


@pytest.fixture
def inventory(vaults: Vaults, time: Time, tmp_path: Path) -> Inventory:
    return Inventory(vaults, Clock(time), BindingRegistry(FileStore(tmp_path), BOUND, (A, B)))


async def test_the_secrets_of_an_account_are_those_listed_and_those_known(
    inventory: Inventory,
) -> None:
    assert await inventory.listed(ACCOUNT) == {ONE, TWO, FAR}
    known = TargetId(A, "a-known")
    assert await inventory.targets(ACCOUNT, [known, TWO]) == (known, ONE, TWO, FAR)


async def test_of_an_account_only_the_vaults_are_listed_that_may_hold_its_key(
    vaults: Vaults, time: Time, tmp_path: Path
) -> None:
    bound = BindingRegistry(FileStore(tmp_path), "kv-a=/subscriptions/s", (A, B))
    inventory = Inventory(vaults, Clock(time), bound)
    assert await inventory.listed(ACCOUNT) == {ONE, TWO}
    assert vaults.listings == [A]
    assert await inventory.listed(STRANGE) == set()
    assert vaults.listings == [A]


async def test_a_listing_is_kept_for_a_minute(
    inventory: Inventory, vaults: Vaults, time: Time
) -> None:
    await inventory.listings()
    time.at += FRESH - SECOND
    await inventory.listings()
    assert vaults.listings == [A, B]
    time.at += SECOND
    await inventory.listings()
    assert vaults.listings == [A, B] * 2
    time.at += FRESH
    await inventory.listing(A)
    assert vaults.listings == [*[A, B] * 2, A]


async def test_a_new_listing_can_be_asked_for(inventory: Inventory, vaults: Vaults) -> None:
    await inventory.listings()
    await inventory.listings(refresh=True)
    assert vaults.listings == [A, B] * 2
    await inventory.listed(ACCOUNT, refresh=True)
    assert vaults.listings == [A, B] * 3
    await inventory.listing(A)
    assert vaults.listings == [A, B] * 3
    await inventory.listing(A, refresh=True)
    assert vaults.listings == [*[A, B] * 3, A]


async def test_a_vault_that_refuses_its_listing_is_not_asked_again_for_a_moment(
    inventory: Inventory, vaults: Vaults, time: Time
) -> None:
    vaults.errors[A] = refused("the listing")
    await inventory.listings()
    del vaults.errors[A]
    time.at += 9 * SECOND
    assert (await inventory.listing(A)).error is not None
    assert vaults.listings == [A, B]
    time.at += SECOND
    assert (await inventory.listing(A)).error is None
    assert vaults.listings == [A, B, A]


async def test_but_at_once_before_a_regenerate_and_in_an_emergency(
    inventory: Inventory, vaults: Vaults
) -> None:
    vaults.errors[A] = refused("the listing")
    await inventory.listings()
    del vaults.errors[A]
    assert await inventory.listed(ACCOUNT, retry=True) == await inventory.listed(ACCOUNT)
    assert vaults.listings == [A, B, A], "the other vault's listing serves"


async def test_but_at_once_if_a_new_listing_is_wanted(inventory: Inventory, vaults: Vaults) -> None:
    vaults.errors[A] = refused("the listing")
    await inventory.listing(A)
    del vaults.errors[A]
    assert (await inventory.listing(A, refresh=True)).error is None


@pytest.mark.parametrize(
    ("took", "serves"),
    [(timedelta(), 60), (12 * SECOND, 60), (20 * SECOND, 100), (timedelta(minutes=9), 900)],
)
def test_the_listing_of_a_large_vault_serves_for_five_times_as_long_as_it_took(
    took: timedelta, serves: int
) -> None:
    names = frozenset(TargetId(A, f"secret-{number}") for number in range(LARGE))
    found = Listing(A, START, took=took, names=names)
    assert found.serves(FRESH, START + timedelta(seconds=serves - 1))
    assert not found.serves(FRESH, START + timedelta(seconds=serves))
    assert not found.serves(timedelta(), START)


def test_that_of_another_vault_serves_a_minute_however_long_it_took() -> None:
    names = frozenset(TargetId(A, f"secret-{number}") for number in range(LARGE - 1))
    found = Listing(A, START, took=timedelta(minutes=9), names=names)
    assert not found.serves(FRESH, START + FRESH)


async def test_it_is_measured_how_long_a_listing_takes(
    inventory: Inventory, vaults: Vaults, time: Time
) -> None:
    original = vaults.list_secrets

    async def slow(vault: str) -> AsyncIterator[ListedSecret]:
        async for found in original(vault):
            time.at += 5 * SECOND
            yield found

    vaults.list_secrets = slow  # type: ignore[method-assign]
    found = await inventory.listing(A)
    assert (found.at, found.took) == (START, 20 * SECOND)


async def test_a_vault_that_cannot_be_listed_does_not_hide_the_others(
    inventory: Inventory, vaults: Vaults
) -> None:
    vaults.errors[A] = refused("the listing")
    assert await inventory.listed(ACCOUNT) == {FAR}
    await inventory.check_readable(B)
    for asked in ((), (A,), (B, A)):
        with pytest.raises(RotationError, match="the listing is refused"):
            await inventory.check_readable(*asked)


async def test_an_unexpected_error_of_a_listing_does_not_tell_its_message(
    inventory: Inventory, vaults: Vaults
) -> None:
    vaults.errors[A] = KeyError("a key")
    first, second = await inventory.listings()
    assert isinstance(first.error, Permanent)
    assert (first.error.code, "a key" in str(first.error)) == ("Unexpected", False)
    assert (first.vault, first.at, first.secrets) == (A, START, ())
    assert second.error is None


async def test_a_listing_tells_all_names_and_the_secrets_that_are_enrolled(
    inventory: Inventory,
) -> None:
    found = await inventory.listing(A)
    assert {secret.target.name for secret in found.secrets} == {"one", "two", "other"}
    assert {target.name for target in found.names} == {"one", "two", "other", "plain"}
    assert found.untagged == {TargetId(A, "plain")}
    assert found.at == START


async def test_a_secret_that_is_not_bound_is_listed_without_its_account_and_with_the_reason(
    inventory: Inventory, vaults: Vaults
) -> None:
    strange = TargetId(A, "strange")
    vaults.add(strange, START, {"ProviderAddress": str(STRANGE)})
    assert await inventory.listed(STRANGE) == set()
    (found,) = [s for s in (await inventory.listing(A)).secrets if s.target == strange]
    assert found.account is None
    assert str(STRANGE) in found.problem
    (fine,) = [s for s in (await inventory.listing(A)).secrets if s.target == ONE]
    assert (fine.account, fine.problem) == (ACCOUNT, "")


async def test_a_secret_with_a_wrong_address_keeps_its_own_problem(
    inventory: Inventory, vaults: Vaults
) -> None:
    vaults.add(ONE, START, {"ProviderAddress": "nonsense"})
    (found,) = [s for s in (await inventory.listing(A)).secrets if s.target == ONE]
    assert (found.account, found.problem) == (None, "its address is wrong")


async def test_a_key_is_refused_to_a_secret_that_is_not_bound(inventory: Inventory) -> None:
    await inventory.check_bound(ONE, ACCOUNT)
    with pytest.raises(Permanent) as caught:
        await inventory.check_bound(ONE, STRANGE)
    assert caught.value.code == "NotBound"


async def test_the_account_of_a_secret_is_remembered_from_the_last_listing(
    inventory: Inventory, vaults: Vaults
) -> None:
    assert inventory.remembered(ONE) is None
    await inventory.listings()
    vaults.listings.clear()
    assert inventory.remembered(ONE) == ACCOUNT
    assert inventory.remembered(TargetId(A, "other")) == OTHER
    assert inventory.remembered(TargetId(A, "missing")) is None
    assert vaults.listings == []


async def test_a_vault_is_listed_again_once_its_mark_has_changed(
    inventory: Inventory, vaults: Vaults
) -> None:
    first, _ = await inventory.listings(marks={A: "1"})
    vaults.listings.clear()
    assert (await inventory.listings(marks={A: "1"}))[0] is first
    assert (await inventory.listings())[0] is first, "without marks only its age counts"
    assert vaults.listings == []
    second, _ = await inventory.listings(marks={A: "2", B: ""})
    assert (vaults.listings, second.mark) == ([A], "2")
    await inventory.listings(marks={A: "2"})
    assert vaults.listings == [A]


async def test_a_new_listing_keeps_the_mark_that_was_known_before(
    inventory: Inventory, vaults: Vaults
) -> None:
    await inventory.listings(marks={A: "1"})
    assert (await inventory.listing(A, refresh=True)).mark == "1"
    vaults.listings.clear()
    await inventory.listings(marks={A: "1"})
    assert vaults.listings == []


async def test_vaults_that_are_asked_for_at_the_same_time_are_listed_once(
    inventory: Inventory, vaults: Vaults
) -> None:
    await asyncio.gather(*(inventory.listings() for _ in range(3)))
    assert vaults.listings == [A, B]


async def test_only_the_vaults_that_are_too_old_are_listed(
    inventory: Inventory, vaults: Vaults, time: Time
) -> None:
    await inventory.listing(A)
    time.at += SECOND
    before = await inventory.listing(B)
    time.at += FRESH - SECOND
    vaults.listings.clear()
    assert (await inventory.listings())[1] is before
    assert vaults.listings == [A]
