"""The accounts of a request: by secret, by account, by vault, or all of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent, RotationError
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.membership import Member
from rotation.domain.record import RECOVERY, ObservedVersion, Record
from rotation.domain.request import Leaked
from rotation.engine.bindings import BindingRegistry
from rotation.engine.inventory import Inventory
from rotation.engine.journal import Journal
from rotation.engine.reader import SecretReader
from rotation.runtime.clock import Clock
from rotation.service.lost_records import AT_ONCE, LostRecords
from rotation.service.messages import Visit
from rotation.service.requests import RotationRequest
from rotation.service.scope import Scope
from tests.unit.engine.stores import SharedStore
from tests.unit.engine.vaults import Vaults, refused

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B = "https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net"
ACCOUNT, OTHER = AccountId("s", "g", "acct"), AccountId("s", "g", "other")
STRANGE, THIRD = AccountId("s2", "g", "acct"), AccountId("s", "g", "third")
ONE, TWO, FAR = TargetId(A, "one"), TargetId(A, "two"), TargetId(B, "far")
GONE = TargetId(A, "gone")
BOUND = f"kv-a=/subscriptions/s,kv-b={THIRD},kv-b=/subscriptions/s"
REQUEST = RotationRequest("r", "ana")
LEAK = RotationRequest("r", "ana", leaked=Leaked.KEY1)


def tags(account: AccountId) -> dict[str, str]:
    return {"ProviderAddress": str(account)}


class World:
    """Two vaults with secrets of two accounts, and the records that a test adds."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        self.store = SharedStore(directory)
        self.journal = Journal(self.store)
        self.vaults = Vaults((A, B))
        for target, account in ((ONE, ACCOUNT), (TWO, OTHER), (FAR, OTHER)):
            self.vaults.add(target, NOW, tags(account))
        registry = BindingRegistry(self.store, BOUND, (A, B))
        inventory = Inventory(self.vaults, Clock(lambda: self.now), registry)
        self.reader = SecretReader(self.vaults, inventory)
        self.scope = Scope(inventory, self.reader, self.journal)
        self.lost = LostRecords(self.reader, self.journal)

    async def remember(self, account: AccountId, *members: TargetId, **more: object) -> Record:
        known = {str(target): Member(NOW) for target in members}
        record = replace(Record(account, "salt", members=known), **more)
        await self.journal.save(record, None)
        return record


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def by_slug(*accounts: AccountId) -> list[AccountId]:
    return sorted(accounts, key=lambda account: account.slug)


async def test_everything_is_every_account_with_an_enrolled_secret_once(world: World) -> None:
    more = [AccountId("s", "g", f"more-{number}") for number in range(6)]
    for account in more:
        world.vaults.add(TargetId(A, account.name), NOW, tags(account))
    found = await world.scope.accounts(replace(REQUEST, everything=True))
    assert found == by_slug(ACCOUNT, OTHER, *more)


@pytest.mark.parametrize(("vault", "accounts"), [(A, [ACCOUNT, OTHER]), (B, [OTHER]), ("x", [])])
async def test_a_vault_is_the_accounts_of_its_secrets(
    world: World, vault: str, accounts: list[AccountId]
) -> None:
    assert await world.scope.accounts(replace(REQUEST, vault=vault)) == by_slug(*accounts)


@pytest.mark.parametrize("request_", [{"everything": True}, {"vault": A}])
async def test_a_bulk_request_is_refused_if_a_vault_cannot_be_listed(
    world: World, request_: dict[str, object]
) -> None:
    world.vaults.errors = {B: refused("the listing")}
    with pytest.raises(Permanent) as caught:
        await world.scope.accounts(replace(REQUEST, **request_))
    assert caught.value.code == "Incomplete"


async def test_a_bulk_emergency_takes_what_is_listed_and_what_records_remember(
    world: World,
) -> None:
    world.vaults.errors = {B: refused("the listing")}
    await world.remember(THIRD, TargetId(B, "x"))
    await world.store.put(STRANGE.slug, b"garbage")
    everything = replace(LEAK, everything=True)
    assert await world.scope.accounts(everything) == by_slug(ACCOUNT, OTHER, THIRD)
    assert await world.scope.accounts(replace(LEAK, vault=B)) == [THIRD]
    assert await world.scope.accounts(replace(LEAK, vault=A)) == by_slug(ACCOUNT, OTHER)


async def test_an_account_whose_record_has_no_member_is_not_part_of_a_bulk_emergency(
    world: World,
) -> None:
    await world.remember(THIRD)
    found = await world.scope.accounts(replace(LEAK, everything=True))
    assert found == by_slug(ACCOUNT, OTHER)


async def test_the_vaults_that_cannot_be_seen_are_named(world: World) -> None:
    world.vaults.errors = {B: refused("the listing")}
    everything = replace(LEAK, everything=True)
    assert await world.scope.unseen(everything) == [f"{B}: the listing is refused"]
    assert await world.scope.unseen(replace(LEAK, vault=B)) == [f"{B}: the listing is refused"]
    assert await world.scope.unseen(replace(LEAK, vault=A)) == []


async def test_a_secret_stands_for_its_account(world: World) -> None:
    assert await world.scope.account(replace(REQUEST, secret=ONE)) == (ACCOUNT, (ONE,))
    assert await world.scope.accounts(replace(REQUEST, secret=ONE)) == [ACCOUNT]
    with pytest.raises(Permanent) as caught:
        await world.scope.account(replace(REQUEST, secret=GONE))
    assert caught.value.code == "NotEnrolled"


async def test_an_account_stands_for_its_listed_or_else_its_remembered_secrets(
    world: World,
) -> None:
    assert await world.scope.account(replace(REQUEST, account=OTHER)) == (OTHER, (TWO, FAR))
    await world.remember(THIRD, seen={str(GONE): ObservedVersion("v1", "f")})
    assert await world.scope.account(replace(REQUEST, account=THIRD)) == (THIRD, (GONE,))
    with pytest.raises(Permanent) as caught:
        await world.scope.account(replace(REQUEST, account=STRANGE))
    assert caught.value.code == "NotEnrolled"
    world.vaults.errors = {B: refused("the listing")}
    world.now += timedelta(hours=1)
    with pytest.raises(RotationError, match="the listing is refused"):
        await world.scope.account(replace(REQUEST, account=STRANGE))


async def test_a_request_names_a_secret_or_an_account(world: World) -> None:
    for request in (REQUEST, LEAK):
        with pytest.raises(ValueError, match="a secret or an account"):
            await world.scope.accounts(request)


async def test_an_emergency_of_an_account_needs_no_secret(world: World) -> None:
    leak = replace(LEAK, account=STRANGE)
    assert await world.scope.emergency(leak) == (STRANGE, ())
    assert await world.scope.accounts(leak) == [STRANGE]


async def test_an_emergency_of_a_secret_that_is_gone_concerns_the_account_that_had_it(
    world: World,
) -> None:
    await world.remember(THIRD, TargetId(A, "GONE"))
    await world.store.put(STRANGE.slug, b"garbage")
    assert await world.scope.emergency(replace(LEAK, secret=GONE)) == (THIRD, (GONE,))
    await world.remember(OTHER, seen={str(GONE): ObservedVersion("v1", "f")})
    with pytest.raises(Permanent) as caught:
        await world.scope.emergency(replace(LEAK, secret=GONE))
    assert caught.value.code == "NotEnrolled", "two accounts had it"


async def test_an_emergency_of_a_listed_secret_concerns_its_account(world: World) -> None:
    await world.remember(THIRD, ONE)
    assert await world.scope.emergency(replace(LEAK, secret=ONE)) == (ACCOUNT, (ONE,))


async def test_an_unbound_secret_names_the_account_to_confirm(world: World) -> None:
    strange = TargetId(A, "strange")
    world.vaults.add(strange, NOW, tags(STRANGE))
    with pytest.raises(Permanent) as caught:
        await world.scope.emergency(replace(LEAK, secret=strange))
    assert caught.value.code == "NotBound"
    assert f"keyrotation emergency {STRANGE} --leaked key1" in caught.value.remedy


async def test_an_unbound_secret_without_a_tag_does_not_name_an_account(
    world: World,
) -> None:
    strange = TargetId(A, "strange")
    world.vaults.add(strange, NOW, tags(STRANGE))
    world.vaults.add(strange, NOW + SECOND, {})
    with pytest.raises(Permanent) as caught:
        await world.scope.emergency(replace(LEAK, secret=strange))
    assert caught.value.code == "NotBound"
    assert "keyrotation" not in caught.value.remedy


async def test_an_account_is_known_by_a_record_a_binding_or_a_secret(world: World) -> None:
    assert await world.scope.knows(ACCOUNT), "a secret"
    assert await world.scope.knows(THIRD), "a binding"
    assert not await world.scope.knows(STRANGE)
    await world.remember(STRANGE)
    assert await world.scope.knows(STRANGE), "a record"


async def test_an_account_may_be_known_if_something_cannot_be_read(world: World) -> None:
    await world.store.put(STRANGE.slug, b"garbage")
    assert await world.scope.knows(STRANGE)
    world.vaults.errors = {B: refused("the listing")}
    assert await world.scope.knows(AccountId("s3", "g", "n"))


async def untagged(world: World, count: int) -> list[TargetId]:
    """Add secrets that have the tags of an account in a former version only."""
    found = [TargetId(A, f"lost-{number:02}") for number in range(count)]
    for target in found:
        world.vaults.add(target, NOW, tags(ACCOUNT))
        world.vaults.add(target, NOW + SECOND, {})
    return found


async def visits(world: World, records: dict[str, Record] | None = None) -> list[Visit]:
    listings = await world.reader.inventory.listings(refresh=True)
    return await world.lost.find(listings, records)


async def test_each_sweep_looks_at_the_next_untagged_secrets(world: World) -> None:
    lost = await untagged(world, AT_ONCE + 2)
    expected = [Visit(ACCOUNT, (target,)) for target in lost]
    assert await visits(world) == expected[:AT_ONCE]
    assert await visits(world) == expected[AT_ONCE:]
    assert await visits(world) == expected[:AT_ONCE], "and begins again"


async def test_many_untagged_secrets_are_looked_at_within_a_day(world: World) -> None:
    await untagged(world, 96 * AT_ONCE + 1)
    assert len(await visits(world)) == AT_ONCE + 1


@pytest.mark.parametrize(
    ("more", "is_visited"),
    [
        ({}, True),
        ({"members": {str(ONE): Member(NOW)}}, False),
        ({"seen": {str(ONE): ObservedVersion("v1", "f")}}, False),
        ({"members": {str(ONE): Member(NOW)}, "began_at": NOW}, True),
        ({"members": {str(ONE): Member(NOW)}, "began_at": NOW - RECOVERY}, False),
        ({"members": {str(TargetId(A, "lost-00")): Member(NOW)}, "began_at": NOW}, False),
        (
            {
                "members": {str(ONE): Member(NOW)},
                "began_at": NOW,
                "left": (str(TargetId(A, "lost-00")),),
            },
            False,
        ),
    ],
)
async def test_only_a_secret_of_a_lost_or_a_young_record_is_visited(
    world: World, more: dict[str, object], is_visited: bool
) -> None:
    (lost,) = await untagged(world, 1)
    await world.remember(ACCOUNT, **more)
    assert await visits(world) == ([Visit(ACCOUNT, (lost,))] if is_visited else [])


async def searched(world: World, record: Record, since: timedelta = -SECOND) -> bool:
    """Return whether a complete search is noted on a record that began before it."""
    young = replace(record, began_at=NOW + since)
    await world.journal.amend(record.account, lambda _: young)
    for _ in range(2):
        await visits(world, {record.account.slug: young})
    found, _ = await world.journal.load(record.account)
    return found.searched


async def test_a_complete_search_is_noted_on_the_records_that_began_before(world: World) -> None:
    record = await world.remember(THIRD, ONE)
    assert await searched(world, record)


async def test_a_search_that_began_before_the_record_is_not_noted(world: World) -> None:
    record = await world.remember(THIRD, ONE)
    assert not await searched(world, record, SECOND)


async def test_a_search_is_noted_if_the_record_began_at_the_same_time(world: World) -> None:
    record = await world.remember(THIRD, ONE)
    assert await searched(world, record, timedelta())


async def test_a_record_that_was_never_lost_is_left_alone(world: World) -> None:
    record = await world.remember(THIRD, ONE)
    for _ in range(2):
        await visits(world, {THIRD.slug: record})
    assert (await world.journal.load(THIRD))[0] == record


async def test_a_search_that_missed_a_vault_is_not_noted(world: World) -> None:
    record = await world.remember(THIRD, ONE)
    world.vaults.errors = {B: refused("the listing")}
    assert not await searched(world, record)


async def test_a_search_that_missed_a_secret_is_not_noted(world: World) -> None:
    (lost,) = await untagged(world, 1)
    record = await world.remember(THIRD, ONE)
    world.vaults.errors = {lost: refused("the secret")}
    assert not await searched(world, record)


async def test_an_unbound_secret_does_not_count_as_missed(world: World) -> None:
    strange = TargetId(A, "strange")
    world.vaults.add(strange, NOW, tags(STRANGE))
    world.vaults.add(strange, NOW + SECOND, {})
    record = await world.remember(THIRD, ONE)
    assert await searched(world, record)


async def test_a_secret_of_another_account_does_not_keep_the_search_open(world: World) -> None:
    await untagged(world, 1)
    record = await world.remember(THIRD, ONE)
    assert await searched(world, record)


async def test_a_secret_that_waits_for_its_admission_keeps_the_search_open(world: World) -> None:
    await untagged(world, 1)
    record = await world.remember(ACCOUNT, ONE)
    assert not await searched(world, record)


async def test_a_drill_needs_an_account_that_the_service_marks_for_it(world: World) -> None:
    drill = replace(LEAK, secret=ONE, drill=True)
    with pytest.raises(Permanent) as caught:
        await world.scope.emergency(drill)
    assert caught.value.code == "NotForDrills"
    with pytest.raises(Permanent):
        await world.scope.accounts(drill)
    marked = dataclasses.replace(world.scope, drill_accounts=frozenset({ACCOUNT}))
    assert await marked.emergency(drill) == (ACCOUNT, (ONE,))
    with pytest.raises(Permanent):
        await marked.emergency(replace(drill, secret=None, account=OTHER))
    assert await world.scope.emergency(replace(LEAK, secret=ONE)) == (ACCOUNT, (ONE,))
