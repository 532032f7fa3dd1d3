"""The facts of an account: what is read, what is remembered, and what is added on request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import MissingFacts
from rotation.decisions.facts import Facts
from rotation.domain import codec
from rotation.domain.account import Account
from rotation.domain.emergency import Emergency
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.fleet_hold import FleetHold
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import LEFT, ObservedVersion, Record
from rotation.domain.request import Leaked
from rotation.domain.targets import SecretRead, SecretSnapshot
from rotation.engine import fleet_holds
from rotation.engine.bindings import BindingRegistry
from rotation.engine.fleet_holds import FleetHolds
from rotation.engine.gatherer import Gatherer, check_rotatable
from rotation.engine.inventory import Inventory
from rotation.engine.journal import Journal
from rotation.engine.reader import SecretReader
from rotation.engine.recent import Recent
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, OLD, facts, rotation, target

from .accounts import REFUSED, Accounts, Probe
from .stores import SharedStore
from .vaults import Vaults, refused

A = "https://kv"
ONE, TWO, FAR = TargetId(A, "one"), TargetId(A, "two"), TargetId("https://kv-b", "far")
TAGS = {"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "90"}
OTHER = AccountId("s1", "rg-a", "other")
DAY = timedelta(days=1)


class Logs:
    """Audit logs in memory: the reads of each secret, or an error."""

    def __init__(self) -> None:
        self.reads: dict[str, Sequence[SecretRead] | RotationError] = {}
        self.asked: list[tuple[str, str, datetime]] = []

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[SecretRead]:
        self.asked.append((vault_url, secret, since))
        found = self.reads.get(secret, ())
        if isinstance(found, RotationError):
            raise found
        return found


class World:
    """One vault, one account, and what gathers their facts."""

    def __init__(self, directory: Path, vaults: tuple[str, ...] = (A,)) -> None:
        self.now = NOW
        clock = Clock(lambda: self.now)
        self.store = SharedStore(directory)
        self.journal, self.accounts = Journal(self.store), Accounts(KEYS)
        self.vaults, self.probe, self.logs = Vaults(vaults), Probe(*(KEYS.key1, KEYS.key2)), Logs()
        bindings = BindingRegistry(self.store, "", vaults)
        reader = SecretReader(self.vaults, Inventory(self.vaults, clock, bindings))
        self.gatherer = Gatherer(
            self.accounts,
            self.vaults,
            self.probe,
            reader,
            clock,
            Policy(),
            bindings,
            self.journal,
            FleetHolds(self.store, clock),
            self.logs,
            frozenset({"the service"}),
        )

    def publish(self, where: TargetId, **tags: str) -> None:
        self.vaults.add(where, NOW, TAGS | tags, KEYS.key1)

    async def facts(self, *known: TargetId, record: Record | None = None, **more: Any) -> Facts:
        return await self.gatherer.facts(record or Record(ACCOUNT, "salt"), known, **more)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def names(f: Facts) -> list[str]:
    return [one.id.name for one in f.targets]


def member(*targets: TargetId, **more: Any) -> Record:
    known = {str(one): Member(NOW) for one in targets}
    return replace(Record(ACCOUNT, "salt", members=known), **more)


@pytest.mark.parametrize(
    ("state", "usual", "in_emergency"),
    [
        ("Succeeded", True, True),
        ("Failed", False, True),
        ("Canceled", False, True),
        ("Creating", False, False),
    ],
)
def test_an_account_is_rotated_in_a_stable_state_and_in_an_emergency_in_a_failed_one(
    state: str, usual: bool, in_emergency: bool
) -> None:
    account = Account(ACCOUNT, "OpenAI", "https://e", provisioning_state=state)
    for urgent, expected in ((False, usual), (True, in_emergency)):
        if expected:
            assert check_rotatable(account, in_emergency=urgent) is account
        else:
            with pytest.raises(Transient) as caught:
                check_rotatable(account, in_emergency=urgent)
            assert caught.value.retry_after == timedelta(minutes=1)


@pytest.mark.parametrize("in_emergency", [True, False])
async def test_an_account_without_key_authentication_has_no_facts(
    world: World, in_emergency: bool
) -> None:
    world.accounts.members = {"local_auth_disabled": True}
    with pytest.raises(Permanent) as caught:
        await world.facts(ONE, in_emergency=in_emergency)
    assert caught.value.code == "LocalAuthDisabled"


@pytest.mark.parametrize(("in_emergency", "is_read"), [(True, True), (False, False)])
async def test_a_failed_account_has_facts_in_an_emergency(
    world: World, in_emergency: bool, is_read: bool
) -> None:
    world.accounts.members = {"provisioning_state": "Failed"}
    world.publish(ONE)
    if is_read:
        assert names(await world.facts(ONE, in_emergency=in_emergency)) == ["one"]
    else:
        with pytest.raises(Transient):
            await world.facts(ONE, in_emergency=in_emergency)


async def test_the_facts_are_those_of_now(world: World) -> None:
    world.publish(ONE)
    f = await world.facts(ONE, cached_keys=(OLD,))
    assert (f.now, f.keys, f.cached_keys, f.is_blind) == (NOW, KEYS, (OLD,), False)
    assert (f.account.id, f.policy) == (ACCOUNT, Policy())
    assert (f.targets[0].value, f.targets[0].readable) == (KEYS.key1, True)
    assert set(f.record.members) == {str(ONE)}
    assert f.record.began_at is None


async def test_known_and_remembered_secrets_are_read_without_a_listing(world: World) -> None:
    for one in (ONE, TWO, TargetId(A, "three"), TargetId(A, "four")):
        world.publish(one)
    seen = {str(TWO): ObservedVersion("v1", KEYS.key1.fingerprint("salt"))}
    f = await world.facts(TargetId(A, "three"), record=member(ONE, seen=seen))
    assert names(f) == ["one", "three", "two"]
    assert world.vaults.listings == []


@pytest.mark.parametrize(("known", "listed"), [((), False), ((ONE,), True)])
async def test_the_vaults_are_listed_if_nothing_is_known_or_on_request(
    world: World, known: tuple[TargetId, ...], listed: bool
) -> None:
    for one in (ONE, TWO):
        world.publish(one)
    assert names(await world.facts(*known, listed=listed)) == ["one", "two"]


@pytest.mark.parametrize(("record", "found"), [(None, ["one", "two"]), ("one", ["one"])])
async def test_in_an_emergency_they_are_listed_if_the_record_has_no_secrets(
    world: World, record: str | None, found: list[str]
) -> None:
    """The record was lost, and the request names one secret."""
    for one in (ONE, TWO):
        world.publish(one)
    f = await world.facts(ONE, record=member(ONE) if record else None, in_emergency=True)
    assert names(f) == found


@pytest.mark.parametrize(("urgent", "found"), [(False, ["one"]), (True, ["one", "two"])])
async def test_in_an_emergency_a_vault_that_could_not_be_listed_is_listed_again(
    world: World, urgent: bool, found: list[str]
) -> None:
    for one in (ONE, TWO):
        world.publish(one)
    world.vaults.errors[ONE.vault] = refused("the listing")
    await world.gatherer.reader.inventory.listings()
    world.vaults.errors.clear()
    assert names(await world.facts(ONE, listed=True, in_emergency=urgent)) == found


async def test_a_member_that_cannot_be_read_publishes_what_it_last_did(world: World) -> None:
    world.publish(TWO)
    world.vaults.errors = {ONE: refused("one"), FAR: refused("far")}
    seen = {str(ONE): ObservedVersion("v7", "f")}
    f = await world.facts(TWO, FAR, record=member(ONE, seen=seen))
    assert names(f) == ["one", "two"]
    one = f.targets[0]
    assert (one.version, one.value, one.readable, one.tagged) == ("v7", None, False, True)
    assert (one.expires, one.enrolment.account) == (None, ACCOUNT)
    assert f.read_errors == {ONE: world.vaults.errors[ONE]}
    assert f.record.members[str(ONE)] == Member(NOW)


async def test_a_member_of_an_earlier_version_that_cannot_be_read_is_one_from_now(
    world: World,
) -> None:
    world.vaults.errors = {ONE: refused("one")}
    seen = {str(ONE): ObservedVersion("v7", "f")}
    f = await world.facts(record=Record(ACCOUNT, "salt", seen=seen))
    assert f.record.members == {str(ONE): Member(NOW)}
    unseen = await world.facts(record=member(ONE))
    assert unseen.targets[0].version == ""


async def test_a_member_that_is_gone_leaves_and_is_remembered_as_having_left(
    world: World,
) -> None:
    world.publish(TWO)
    left = tuple(f"https://kv/secrets/{number}" for number in range(LEFT))
    f = await world.facts(record=member(ONE, TWO, left=left))
    assert names(f) == ["two"]
    assert f.record.left == (*left[1:], str(ONE))
    again = await world.facts(record=member(ONE, TWO, left=(str(ONE), "x")))
    assert again.record.left == (str(ONE), "x"), "once"


@pytest.mark.parametrize(
    ("in_emergency", "readable", "listable", "is_blind"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (True, True, False, False),
        (True, False, True, False),
    ],
)
async def test_an_emergency_is_blind_if_nothing_can_be_listed_or_read(
    world: World, in_emergency: bool, readable: bool, listable: bool, is_blind: bool
) -> None:
    world.publish(ONE)
    if not readable:
        world.vaults.errors[ONE] = refused("one")
    if not listable:
        world.vaults.errors[A] = refused("the listing")
    f = await world.facts(record=member(ONE), in_emergency=in_emergency)
    assert f.is_blind is is_blind


async def test_one_vault_that_can_be_listed_is_enough_to_see(tmp_path: Path) -> None:
    world = World(tmp_path, (A, FAR.vault))
    world.vaults.errors = {A: refused("the listing"), ONE: refused("one")}
    assert not (await world.facts(record=member(ONE), in_emergency=True)).is_blind


@pytest.mark.parametrize(
    ("more", "tags", "is_young"),
    [
        ({}, {}, False),
        ({}, {"RotationId": f"{ACCOUNT.slug}-1"}, True),
        (
            {"seen": {str(ONE): ObservedVersion("v1", "f")}},
            {"RotationId": f"{ACCOUNT.slug}-1"},
            False,
        ),
        ({"known_keys": {"Key1": "f"}}, {"RotationId": f"{ACCOUNT.slug}-1"}, False),
    ],
)
async def test_an_empty_record_of_a_secret_that_was_managed_replaces_a_lost_one(
    world: World, more: dict[str, Any], tags: dict[str, str], is_young: bool
) -> None:
    world.publish(ONE, **tags)
    f = await world.facts(ONE, record=Record(ACCOUNT, "salt", **more))
    assert f.record.began_at == (NOW if is_young else None)


async def test_so_does_one_of_a_secret_whose_latest_version_has_no_tags(world: World) -> None:
    world.publish(ONE)
    world.vaults.add(ONE, NOW, {}, KEYS.key1)
    assert (await world.facts(ONE)).record.began_at == NOW


@pytest.mark.parametrize(
    ("phase", "slug", "seen", "is_admitted"),
    [
        (Phase.OVERLAP, OTHER.slug, ONE, False),
        (Phase.IDLE, OTHER.slug, ONE, True),
        (Phase.OVERLAP, OTHER.slug, TWO, True),
        (Phase.OVERLAP, ACCOUNT.slug, ONE, True),
        (Phase.OVERLAP, "0" * 16, ONE, True),
    ],
)
async def test_a_secret_that_another_account_still_publishes_to_is_not_admitted_yet(
    world: World, phase: Phase, slug: str, seen: TargetId, is_admitted: bool
) -> None:
    world.publish(ONE, RotationId=f"{slug}-1")
    other = Record(OTHER, "salt", phase=phase, seen={str(seen): ObservedVersion("v1", "f")})
    await world.journal.save(other, None)
    assert names(await world.facts(ONE)) == (["one"] if is_admitted else [])
    world.store.reads.clear()
    assert names(await world.facts(ONE, record=member(ONE))) == ["one"], "a member stays"
    assert OTHER.slug not in world.store.reads


async def test_whether_bindings_were_frozen_is_remembered(tmp_path: Path) -> None:
    vaults = (A, FAR.vault)
    world = World(tmp_path, vaults)
    assert not (await world.facts(ONE)).record.frozen_bindings
    await world.gatherer.bindings.freeze(A, [])
    assert (await world.facts(ONE)).record.frozen_bindings
    kept = await World(tmp_path / "x").facts(ONE, record=member(ONE, frozen_bindings=True))
    assert kept.record.frozen_bindings


async def resolved(world: World, f: Facts, **missing: Any) -> Facts:
    return await world.gatherer.resolve(f, MissingFacts(**missing))


async def test_only_the_facts_that_are_missing_are_read(world: World) -> None:
    f = facts()
    assert await resolved(world, f) is f
    assert (world.probe.tried, world.logs.asked) == ([], [])


async def test_each_key_is_tried_once_and_a_random_one_before(world: World) -> None:
    world.now += DAY
    f = replace(facts(), verdicts={OLD: REFUSED}, control=None)
    new = Key("n" * 32)
    f = await resolved(world, f, probe=(KEYS.key1, OLD, new, KEYS.key1))
    assert world.probe.tried == [None, KEYS.key1, new]
    assert (f.accepted(KEYS.key1), f.accepted(new), f.refused(new)) == (True, False, True)
    assert (f.control, f.now, set(f.verdicts)) == (REFUSED, NOW + DAY, {OLD, KEYS.key1, new})
    await resolved(world, f, probe=(Key("m" * 32),))
    assert world.probe.tried[3:] == [Key("m" * 32)], "the control is kept"


FIRST, SECOND = target("a"), target("b")


async def test_versions_are_read_of_readable_and_of_foreign_secrets(world: World) -> None:
    foreign, hidden = target("f", OLD), target("h", None, readable=False)
    for one, value in ((FIRST, OLD), (foreign, OLD), (foreign, KEYS.key2), (hidden, OLD)):
        world.vaults.add(one.id, NOW, {}, value)
    f = replace(facts(FIRST, hidden), foreign=(foreign,), versions=None)
    found = (await resolved(world, f, versions=True)).versions
    assert found is not None
    assert [(v.target.name, v.version, v.value) for v in found] == [
        ("a", "v1", OLD),
        ("f", "v1", None),
        ("f", "v2", KEYS.key2),
    ]


async def test_a_secret_whose_versions_cannot_be_listed_is_unreadable(world: World) -> None:
    foreign, before = target("f", OLD), {TWO: refused("two")}
    world.vaults.add(SECOND.id, NOW, {}, KEYS.key1)
    world.vaults.errors = {FIRST.id: refused("a"), foreign.id: refused("f")}
    f = replace(facts(FIRST, SECOND), foreign=(foreign,), read_errors=before)
    found = await resolved(world, f, versions=True)
    assert [(t.id.name, t.readable, t.value) for t in found.targets] == [
        ("a", False, None),
        ("b", True, KEYS.key1),
        ("f", False, None),
    ]
    assert found.foreign == ()
    assert set(found.read_errors) == {TWO, FIRST.id, foreign.id}
    assert found.versions is not None
    assert [v.target.name for v in found.versions] == ["b"]


async def test_in_an_emergency_it_stays_readable(world: World) -> None:
    world.vaults.errors = {FIRST.id: refused("a")}
    leak = Emergency("e-1", ACCOUNT, "salt", Leaked.KEY1, "r", "ana", NOW, begun_at=NOW)
    f = replace(facts(FIRST), emergencies=(leak,), read_errors={})
    found = await resolved(world, f, versions=True)
    assert (found.targets, found.read_errors, found.versions) == ((FIRST,), {}, ())


def read(identity: str, version: str | None) -> SecretRead:
    return SecretRead(identity, version, NOW)


async def test_readers_are_those_of_all_targets_since_a_day_before_the_rotation(
    world: World,
) -> None:
    old = target("a", created=NOW - 5 * DAY, version="v2")
    new = target("b", created=NOW, version="v2")
    world.logs.reads = {
        "a": [read("app", "v1"), read("The Service", "v1"), read("moved", "v2")],
        "b": Transient("busy"),
    }
    f = replace(facts(old, new), record=replace(facts().record, operation=rotation()))
    found = (await resolved(world, f, readers=True)).readers
    assert found is not None
    assert found.stale == ("app",)
    assert len(found.unlogged) == 1
    started = f.operation.started_at
    assert world.logs.asked == [(A, "a", NOW - 6 * DAY), (A, "b", started - DAY)]


async def test_without_logs_no_secret_has_a_usable_one(world: World) -> None:
    world.gatherer.evidence = None
    f = replace(facts(), record=replace(facts().record, operation=rotation()))
    found = (await resolved(world, f, readers=True)).readers
    assert found is not None
    assert (found.stale, len(found.unlogged)) == ((), 2)


@pytest.mark.parametrize("is_logged", [True, False])
async def test_consumers_are_asked_beside_the_logs_or_instead_of_them(
    world: World, is_logged: bool
) -> None:
    class Checks:
        async def behind(self, f: Facts) -> tuple[str, ...]:
            return ("the app is behind",)

    world.gatherer.checks = Checks()  # type: ignore[assignment]
    world.gatherer.evidence = world.logs if is_logged else None
    world.logs.reads = {one: Transient("busy") for one in "ab"}
    f = replace(facts(), record=replace(facts().record, operation=rotation()))
    found = (await resolved(world, f, readers=True)).readers
    assert found is not None
    assert (found.behind, len(found.unlogged)) == (("the app is behind",), 2 * is_logged)


async def test_the_keys_that_arm_shows_are_noted(world: World) -> None:
    world.publish(ONE)
    f = await world.facts(ONE)
    assert f.record.known_keys == {slot: f.fingerprint(slot) for slot in Slot}


async def test_a_wrong_tag_is_noted(world: World) -> None:
    world.publish(ONE, RotationOverlap="soon")
    assert "RotationOverlap" in (await world.facts(ONE)).record.notes[str(ONE)]


async def test_a_member_that_holds_another_value_is_foreign(world: World) -> None:
    world.vaults.add(ONE, NOW, TAGS, Key("a password"))
    f = await world.facts(record=member(ONE))
    assert (f.targets, [one.id for one in f.foreign]) == ((), [ONE])


async def test_a_secret_of_a_vault_that_was_never_listed_is_undecided(tmp_path: Path) -> None:
    world = World(tmp_path, (A, FAR.vault))
    world.publish(ONE)
    assert [one.id for one in (await world.facts(record=member(ONE))).undecided] == [ONE]


async def test_a_member_that_is_no_longer_bound_is_withdrawn(tmp_path: Path) -> None:
    world = World(tmp_path, (A, FAR.vault))
    await world.gatherer.bindings.freeze(A, [])
    world.publish(ONE)
    f = await world.facts(record=member(ONE))
    assert (f.targets, [one.id for one in f.withdrawn]) == ((), [ONE])


async def test_a_member_that_cannot_be_read_keeps_when_it_was_admitted(world: World) -> None:
    world.vaults.errors = {ONE: refused("one")}
    known = {str(ONE): Member(NOW - DAY)}
    f = await world.facts(record=Record(ACCOUNT, "salt", members=known))
    assert f.record.members == known


async def test_one_secret_that_was_managed_is_enough_for_a_lost_record(world: World) -> None:
    world.publish(ONE)
    world.publish(TWO, RotationId=f"{ACCOUNT.slug}-1")
    assert (await world.facts(ONE, TWO)).record.began_at == NOW


async def test_with_a_single_vault_bindings_are_not_frozen(world: World) -> None:
    world.publish(ONE)
    assert not (await world.facts(ONE)).record.frozen_bindings


async def test_a_hold_of_all_work_is_read_only_on_request(world: World) -> None:
    hold = FleetHold(NOW + DAY, "a freeze", "ana", NOW)
    await world.store.put(fleet_holds.NAME, codec.dump(hold))
    world.publish(ONE)
    f = await world.facts(ONE)
    assert (f.is_hold_unread, f.fleet_hold) == (True, None)
    f = await resolved(world, f, fleet_hold=True)
    assert (f.is_hold_unread, f.fleet_hold) == (False, hold)


async def test_what_the_visit_has_read_is_not_read_again(world: World) -> None:
    world.publish(ONE)
    recent = Recent(at=NOW)
    first = await world.facts(ONE, recent=recent)
    world.publish(ONE)
    world.accounts.shown = Keys(KEYS.key1, OLD)
    again = await world.facts(ONE, recent=recent)
    assert (again.targets, again.keys) == (first.targets, first.keys)
    assert world.accounts.calls == ["get", "keys"]


@pytest.mark.parametrize(("seconds", "calls"), [(8, ["get"]), (9, ["get", "keys"])])
async def test_keys_that_are_too_old_once_the_secrets_are_read_are_listed_again(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, calls: list[str]
) -> None:
    async def get_secret(target: TargetId) -> SecretSnapshot | None:
        world.now += timedelta(seconds=seconds)
        return await original(target)

    world.publish(ONE)
    original = world.vaults.get_secret
    monkeypatch.setattr(world.vaults, "get_secret", get_secret)
    await world.facts(ONE, recent=Recent(keys=KEYS, at=NOW), in_emergency=True)
    assert world.accounts.calls == calls


async def test_what_the_visit_has_tried_is_not_tried_again(world: World) -> None:
    world.publish(ONE)
    tried = {KEYS.key1: REFUSED}
    recent = Recent(verdicts=tried, control=REFUSED, versions=(), is_answer=True)
    f = await world.facts(ONE, recent=recent)
    assert (f.verdicts, f.control, f.versions) == (tried, REFUSED, ())
    assert not f.is_unlisted, "the keys were listed"


async def test_values_that_were_just_read_are_not_read_again_with_the_versions(
    world: World,
) -> None:
    untagged, disabled = target("u", tagged=False), target("d", None)
    for one in (FIRST, untagged, disabled):
        world.vaults.add(one.id, NOW, {}, OLD)
    await resolved(world, replace(facts(FIRST, untagged, disabled), versions=None), versions=True)
    assert world.vaults.known == [{"v1": FIRST.value}, {}, {}]
