"""The listings of the vaults, and the secrets that are read by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Permanent, RotationError
from rotation.domain.ids import AccountId, TargetId
from rotation.engine.bindings import BindingRegistry
from rotation.engine.inventory import FRESH, Inventory
from rotation.engine.reader import SecretReader
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


@pytest.fixture
def reader(vaults: Vaults, inventory: Inventory) -> SecretReader:
    return SecretReader(vaults, inventory)


async def test_the_secrets_of_an_account_are_those_listed_and_those_known(
    inventory: Inventory,
) -> None:
    assert await inventory.listed(ACCOUNT) == {ONE, TWO, FAR}
    known = TargetId(A, "a-known")
    assert await inventory.targets(ACCOUNT, [known, TWO]) == (known, ONE, TWO, FAR)


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


async def test_a_failed_listing_is_not_kept(inventory: Inventory, vaults: Vaults) -> None:
    vaults.errors[A] = refused("the listing")
    await inventory.listings()
    del vaults.errors[A]
    await inventory.listings()
    assert vaults.listings == [A, B, A]


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


async def test_secrets_are_read_in_order_and_only_from_configured_vaults(
    reader: SecretReader,
) -> None:
    foreign = TargetId("https://elsewhere.vault.azure.net", "x")
    found = await reader.read(ACCOUNT, [TWO, foreign, ONE], {foreign})
    assert [s.id for s in found.snapshots] == [ONE, TWO]
    assert (found.deleted, found.unreadable) == ((), {})


async def test_one_secret_that_cannot_be_read_does_not_hide_the_others(
    reader: SecretReader, vaults: Vaults
) -> None:
    vaults.errors = {ONE: refused("the secret"), FAR: KeyError("a key")}
    found = await reader.read(ACCOUNT, [ONE, TWO, FAR], set())
    assert [s.id for s in found.snapshots] == [TWO]
    assert found.unreadable[ONE] is vaults.errors[ONE]
    assert found.unreadable[FAR].code == "Unexpected"
    assert set(found.unreadable) == {ONE, FAR}


async def test_a_member_is_deleted_only_if_its_vault_does_not_list_it_either(
    reader: SecretReader, vaults: Vaults
) -> None:
    gone = TargetId(A, "gone")
    vaults.hidden = {ONE}
    found = await reader.read(ACCOUNT, [ONE, TWO, gone], {ONE, gone})
    assert found.deleted == (gone,)
    assert found.unreadable[ONE].code == "Contradiction"
    assert [s.id for s in found.snapshots] == [TWO]


async def test_the_listing_that_decides_it_is_a_new_one(
    reader: SecretReader, vaults: Vaults, inventory: Inventory
) -> None:
    await inventory.listings()
    del vaults.secrets[ONE]
    assert (await reader.read(ACCOUNT, [ONE], {ONE})).deleted == (ONE,)


async def test_a_member_of_a_vault_that_cannot_be_listed_is_not_deleted(
    reader: SecretReader, vaults: Vaults
) -> None:
    vaults.hidden, vaults.errors = {ONE}, {A: refused("the listing")}
    found = await reader.read(ACCOUNT, [ONE], {ONE})
    assert (found.deleted, found.unreadable) == ((), {ONE: vaults.errors[A]})


async def test_a_missing_secret_that_is_not_a_member_is_left_out(
    reader: SecretReader, vaults: Vaults
) -> None:
    found = await reader.read(ACCOUNT, [TargetId(A, "gone")], set())
    assert (found.snapshots, found.deleted, found.unreadable) == ((), (), {})
    assert vaults.listings == []


async def test_a_version_without_our_tags_has_those_of_the_newest_that_has_them(
    reader: SecretReader, vaults: Vaults
) -> None:
    newest = OURS | {"newest": "yes"}
    vaults.add(ONE, START + 2 * SECOND, newest)
    vaults.add(ONE, START + SECOND, OURS | {"newest": "no"})
    vaults.add(ONE, START + 3 * SECOND, THEIRS)
    vaults.add(ONE, START + 4 * SECOND, {"own": "x"})
    found = await reader.read(ACCOUNT, [ONE, TWO], set())
    one, two = found.snapshots
    assert (one.former_tags, one.tags) == (newest, {"own": "x"})
    assert two.former_tags is None


async def test_without_any_version_that_has_our_tags_there_are_none(
    reader: SecretReader,
) -> None:
    (found,) = (await reader.read(ACCOUNT, [TargetId(A, "plain")], set())).snapshots
    assert found.former_tags is None


async def test_a_secret_is_found_with_its_account(reader: SecretReader, vaults: Vaults) -> None:
    assert await reader.find(ONE) == (ACCOUNT, vaults.secrets[ONE][-1])
    assert await reader.find(TargetId(A, "other")) == (
        OTHER,
        vaults.secrets[TargetId(A, "other")][-1],
    )
    assert await reader.find(TargetId(A, "plain")) is None
    assert await reader.find(TargetId(A, "gone")) is None


async def test_a_secret_without_an_address_has_the_account_of_its_newest_version_with_one(
    reader: SecretReader, vaults: Vaults
) -> None:
    vaults.add(ONE, START + 2 * SECOND, THEIRS)
    vaults.add(ONE, START + SECOND, OURS)
    latest = vaults.add(ONE, START + 3 * SECOND, {})
    assert await reader.find(ONE) == (OTHER, latest)


@pytest.mark.parametrize("address", ["", "nonsense"])
async def test_an_address_that_is_wrong_hides_those_of_former_versions(
    reader: SecretReader, vaults: Vaults, address: str
) -> None:
    vaults.add(ONE, START + SECOND, {" providerADDRESS ": address})
    assert await reader.find(ONE) is None


async def test_a_secret_that_is_not_bound_is_not_found(
    reader: SecretReader, vaults: Vaults
) -> None:
    vaults.add(ONE, START + SECOND, {"ProviderAddress": str(STRANGE)})
    with pytest.raises(Permanent) as caught:
        await reader.find(ONE)
    assert caught.value.code == "NotBound"
