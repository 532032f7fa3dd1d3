"""A regenerate is sent once and only if it is recorded; each publish is noted or its failure is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.adapters.file_store import FileStore
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.errors import Permanent, RotationError, Transient, Unknown
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import (
    ANOTHER_WRITER,
    BY_POLICY,
    Attempt,
    Intent,
    Operation,
    Phase,
    PublishedVersion,
    Purpose,
)
from rotation.domain.policy import Policy
from rotation.domain.record import ObservedVersion, Record
from rotation.engine.bindings import BindingRegistry
from rotation.engine.effects import Effects
from rotation.engine.fleet_holds import FleetHolds
from rotation.engine.gatherer import Gatherer
from rotation.engine.inventory import Inventory
from rotation.engine.journal import Journal
from rotation.engine.reader import SecretReader
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, facts, rotation, target

from .accounts import Accounts, Probe
from .vaults import Vaults

URL = "https://kv"
A, B = target("a"), target("b")
SECOND = timedelta(seconds=1)
AGE = Policy().max_send_age
OTHER = AccountId("s", "g", "other")
FORBIDDEN = Permanent("no", code=BY_POLICY, remedy="change the policy")
BUSY = Transient("busy", code="Throttled")


class World:
    """The effects on an account in memory, at a time that a test sets."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        clock = Clock(lambda: self.now)
        store = FileStore(directory)
        self.accounts, self.vaults = Accounts(KEYS), Vaults((URL,))
        self.journal = Journal(store)
        bindings = BindingRegistry(store, "", (URL,))
        reader = SecretReader(self.vaults, Inventory(self.vaults, clock, bindings))
        gatherer = Gatherer(
            self.accounts,
            self.vaults,
            Probe(),
            reader,
            clock,
            Policy(),
            bindings,
            self.journal,
            FleetHolds(store, clock),
        )
        self.effects = Effects(gatherer, self.journal)

    async def perform(self, f: Facts, kind: ActionKind, **more: Any) -> Record:
        """Store the record as the reconciler does, act, and return what is stored then."""
        await self.journal.save(f.record, None)
        await self.effects.perform(f, Action(kind, "r", f.record, **more), f.record)
        return await self.stored()

    async def fail(self, f: Facts, kind: ActionKind, **more: Any) -> tuple[Exception, Record]:
        """Return the error of an action, and what is stored then."""
        with pytest.raises(RotationError) as caught:
            await self.perform(f, kind, **more)
        return caught.value, await self.stored()

    async def stored(self) -> Record:
        return (await self.journal.load(ACCOUNT))[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


INTENT = Intent("i-1", Slot.KEY2, "before", NOW)
EARLIER = NOW - timedelta(hours=1)


def sending(**more: Any) -> Facts:
    members: dict[str, Any] = {"intent": INTENT, "regenerated": (EARLIER, NOW)}
    return facts(phase=Phase.REGENERATE, operation=rotation(), **(members | more))


async def test_the_stored_intent_is_sent_once_and_its_answer_is_noted(world: World) -> None:
    stored = await world.perform(sending(), ActionKind.SEND)
    assert world.accounts.regenerated == [(ACCOUNT, Slot.KEY2)]
    assert stored.intent == replace(INTENT, answered=True)
    assert stored.regenerated == (EARLIER, NOW)


async def test_nothing_is_sent_without_a_stored_intent(world: World) -> None:
    with pytest.raises(ValueError, match="without a stored intent"):
        await world.perform(sending(intent=None), ActionKind.SEND)
    assert world.accounts.regenerated == []


@pytest.mark.parametrize("error", [BUSY, FORBIDDEN])
async def test_an_intent_that_is_known_to_have_failed_is_forgotten(
    world: World, error: RotationError
) -> None:
    world.accounts.errors = {"regenerate": error}
    exc, stored = await world.fail(sending(), ActionKind.SEND)
    assert (exc, stored.intent, stored.regenerated) == (error, None, (EARLIER,))


async def test_an_intent_with_an_unknown_outcome_stays(world: World) -> None:
    world.accounts.errors = {"regenerate": Unknown("lost")}
    _, stored = await world.fail(sending(), ActionKind.SEND)
    assert (stored.intent, stored.regenerated) == (INTENT, (EARLIER, NOW))


@pytest.mark.parametrize(
    ("passed", "is_sent"),
    [(AGE, True), (AGE + SECOND, False), (-AGE, True), (-AGE - SECOND, False)],
)
async def test_a_decision_that_is_too_old_is_not_sent(
    world: World, passed: timedelta, is_sent: bool
) -> None:
    world.now += passed
    if is_sent:
        await world.perform(sending(), ActionKind.SEND)
    else:
        exc, stored = await world.fail(sending(), ActionKind.SEND)
        assert isinstance(exc, Transient)
        assert (exc.code, stored.intent, stored.regenerated) == ("TooLate", None, (EARLIER,))
    assert bool(world.accounts.regenerated) is is_sent


@pytest.mark.parametrize("another", [None, replace(INTENT, id="i-2")])
async def test_the_answer_is_not_noted_on_what_another_worker_made_of_the_intent(
    world: World, another: Intent | None
) -> None:
    async def other_worker() -> None:
        await world.journal.amend(ACCOUNT, lambda r: replace(r, intent=another))

    world.accounts.during = other_worker
    stored = await world.perform(sending(), ActionKind.SEND)
    assert (stored.intent, stored.regenerated) == (another, (EARLIER, NOW))


async def test_the_key_that_is_revoked_is_remembered_until_the_account_is_idle(
    world: World,
) -> None:
    await world.perform(sending(), ActionKind.SEND)
    busy, idle = Record(ACCOUNT, "s", phase=Phase.REVOKE), Record(ACCOUNT, "s")
    assert world.effects.cached_keys(busy, in_emergency=False) == (KEYS.key2,)
    assert world.effects.cached_keys(idle, in_emergency=True) == (KEYS.key2,)
    assert world.effects.cached_keys(Record(OTHER, "s"), in_emergency=True) == ()
    assert world.effects.cached_keys(idle, in_emergency=False) == ()
    assert world.effects.cached_keys(busy, in_emergency=False) == ()


def test_the_last_eight_keys_are_remembered_once_each(world: World) -> None:
    keys = [Key(f"key-{number}") for number in range(9)]
    for key in (*keys, keys[8], keys[1]):
        world.effects.remember(ACCOUNT, [key])
    record = Record(ACCOUNT, "s", phase=Phase.REVOKE)
    assert world.effects.cached_keys(record, in_emergency=False) == tuple(keys[1:])


async def test_every_version_is_disabled_though_one_fails_and_the_first_error_is_raised(
    world: World,
) -> None:
    versions = tuple((one.id, "v1") for one in (A, B, target("c"), target("d")))
    second = Transient("later")
    world.vaults.errors = {A.id: BUSY, B.id: second}
    exc, _ = await world.fail(facts(), ActionKind.DISABLE, versions=versions)
    assert exc is BUSY
    assert world.vaults.disabled == list(versions[2:])


@pytest.mark.parametrize(
    "kind", [k for k in ActionKind if k not in (ActionKind.SEND, ActionKind.PUBLISH)]
)
async def test_other_actions_have_no_effect(world: World, kind: ActionKind) -> None:
    f = facts(A, B)
    assert await world.perform(f, kind, targets=(A.id,)) == f.record
    assert (world.accounts.regenerated, world.vaults.published) == ([], [])


def publishing(purpose: Purpose = Purpose.ROTATE, **more: Any) -> Facts:
    operation = rotation(purpose=purpose, value="proven", **more)
    return facts(A, B, phase=Phase.PUBLISH, operation=operation)


def made(version: str, **more: Any) -> PublishedVersion:
    return PublishedVersion(version, A.created, first=A.created, **more)


async def operation_of(world: World) -> Operation:
    found = (await world.stored()).operation
    assert found is not None
    return found


async def test_the_candidates_key_is_published_with_its_tags_and_expiry(world: World) -> None:
    expires = NOW + timedelta(days=77)
    world.now += SECOND
    await world.perform(publishing(expires=expires), ActionKind.PUBLISH, targets=(A.id,))
    ((secret, key, tags, until),) = world.vaults.published
    assert (secret, key, until) == (A.id, KEYS.key2, expires)
    assert tags == {
        "CredentialId": "Key2",
        "RotationId": "op-1",
        "RotatedAt": "2026-11-28T12:00:01Z",
        "RotationReason": "due",
    }


async def test_without_a_stored_expiry_it_is_that_of_the_policy(world: World) -> None:
    f = publishing()
    births = {f.fingerprint(Slot.KEY2): NOW - timedelta(days=10)}
    f = replace(f, record=replace(f.record, births=births))
    await world.perform(f, ActionKind.PUBLISH, targets=(A.id,))
    assert world.vaults.published[0][3] == NOW + timedelta(days=80)


async def test_what_was_published_is_noted(world: World) -> None:
    stored = await world.perform(publishing(), ActionKind.PUBLISH, targets=(A.id, B.id))
    assert [secret for secret, *_ in world.vaults.published] == [A.id, B.id]
    operation = await operation_of(world)
    assert operation.puts == {str(A.id): made("p1"), str(B.id): made("p2")}
    assert stored.seen[str(A.id)] == ObservedVersion("p1", "proven")
    assert operation.attempts == {}


async def test_a_key_without_a_proof_is_published_without_its_fingerprint(world: World) -> None:
    f = facts(A, phase=Phase.PUBLISH, operation=rotation(value=None))
    stored = await world.perform(f, ActionKind.PUBLISH, targets=(A.id,))
    assert stored.seen[str(A.id)].fingerprint == ""


async def test_only_the_targets_of_the_action_are_published(world: World) -> None:
    stored = await world.perform(publishing(), ActionKind.PUBLISH, targets=(B.id,))
    assert [secret for secret, *_ in world.vaults.published] == [B.id]
    assert stored.seen[str(A.id)].version == "v1"


async def test_a_second_publish_counts_from_the_first(world: World) -> None:
    before = {str(A.id): made("p0", times=2), "other": made("x")}
    await world.perform(publishing(puts=before), ActionKind.PUBLISH, targets=(A.id,))
    assert (await operation_of(world)).puts == {str(A.id): made("p1", times=3), "other": made("x")}


async def test_a_success_forgets_the_failed_attempts_but_not_another_writer(world: World) -> None:
    failed, overwritten = Attempt(NOW, NOW, BY_POLICY), Attempt(NOW, NOW, ANOTHER_WRITER)
    attempts = {str(A.id): failed, str(B.id): overwritten, "other": failed}
    await world.perform(publishing(attempts=attempts), ActionKind.PUBLISH, targets=(A.id, B.id))
    assert (await operation_of(world)).attempts == {str(B.id): overwritten, "other": failed}


@pytest.mark.parametrize("error", [FORBIDDEN, BUSY])
async def test_one_target_that_fails_does_not_stop_the_others(
    world: World, error: RotationError
) -> None:
    world.vaults.errors = {A.id: error}
    exc, stored = await world.fail(publishing(), ActionKind.PUBLISH, targets=(A.id, B.id))
    assert exc is error
    operation = await operation_of(world)
    assert set(operation.puts) == {str(B.id)}
    by_policy = {str(A.id): Attempt(NOW, NOW, BY_POLICY, hopeless=True)}
    assert operation.attempts == (by_policy if error is FORBIDDEN else {})
    assert stored.seen[str(A.id)].version == "v1"


async def test_a_refusal_by_policy_is_noted_although_nothing_was_published(world: World) -> None:
    world.vaults.errors = {A.id: FORBIDDEN}
    before = Attempt(EARLIER, EARLIER, "Other", hopeless=False, count=4)
    f = publishing(attempts={str(A.id): before})
    await world.fail(f, ActionKind.PUBLISH, targets=(A.id,))
    assert (await operation_of(world)).attempts == {
        str(A.id): Attempt(EARLIER, NOW, BY_POLICY, hopeless=True, count=4)
    }


async def test_an_emergency_goes_on_without_the_targets_that_fail(world: World) -> None:
    world.vaults.errors = {A.id: BUSY}
    f = publishing(Purpose.EMERGENCY)
    await world.perform(f, ActionKind.PUBLISH, targets=(A.id, B.id))
    operation = await operation_of(world)
    assert set(operation.puts) == {str(B.id)}
    assert operation.attempts == {str(A.id): Attempt(NOW, NOW, "Throttled", hopeless=False)}


async def test_an_emergency_notes_its_failures_although_nothing_was_published(
    world: World,
) -> None:
    world.vaults.errors = {A.id: FORBIDDEN, B.id: BUSY}
    f = publishing(Purpose.EMERGENCY)
    await world.perform(f, ActionKind.PUBLISH, targets=(A.id, B.id))
    operation = await operation_of(world)
    assert operation.puts == {}
    assert {name: one.hopeless for name, one in operation.attempts.items()} == {
        str(A.id): True,
        str(B.id): False,
    }


@pytest.mark.parametrize("other", [None, rotation(id="op-2")])
async def test_neither_a_version_nor_a_failure_is_noted_on_another_operation(
    world: World, other: Operation | None
) -> None:
    f = publishing(Purpose.EMERGENCY)
    world.vaults.errors = {B.id: BUSY}
    changed = replace(f.record, operation=other)
    await world.journal.save(changed, None)
    action = Action(ActionKind.PUBLISH, "r", f.record, targets=(A.id, B.id))
    await world.effects.perform(f, action, f.record)
    assert await world.stored() == changed


async def test_a_decision_of_the_longest_age_is_published(world: World) -> None:
    world.now += AGE
    await world.perform(publishing(), ActionKind.PUBLISH, targets=(A.id,))
    assert len(world.vaults.published) == 1


async def test_a_decision_that_is_too_old_publishes_nothing(world: World) -> None:
    world.now += AGE + SECOND
    exc, _ = await world.fail(publishing(), ActionKind.PUBLISH, targets=(A.id,))
    assert isinstance(exc, Transient)
    assert (exc.code, world.vaults.published) == ("TooLate", [])
