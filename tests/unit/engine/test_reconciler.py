"""One account, step by step: stored before it is sent, and nothing hides a failure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.guards import SOON
from rotation.domain import codec
from rotation.domain.access import Role
from rotation.domain.consumers import Consumer, parse
from rotation.domain.document import Document
from rotation.domain.emergency import Emergency, Verdict
from rotation.domain.errors import Permanent, RotationError, Transient, of_service
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import FORMAT, Notification, Nudge, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.engine.emergencies import Emergencies
from rotation.engine.handover import Listed
from rotation.engine.journal import GARBAGE_FOR, Journal
from rotation.engine.nudging import Nudging
from rotation.engine.outcome import Outcome
from rotation.engine.reconciler import Reconciler
from rotation.engine.responder import Responder
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW

from .test_gatherer import ONE, TAGS, World
from .vaults import refused

LEAK = f"{ACCOUNT.slug}-1"
SECOND = timedelta(seconds=1)
ASKED = Request("r-1", RequestKind.MANUAL, "because", "ana", NOW)
BUSY = Transient("the vault is busy", code="Throttled")
FORBIDDEN = Permanent("not allowed", code="Forbidden", remedy="grant the role")


class Topic:
    """A topic in memory."""

    def __init__(self) -> None:
        self.received: list[str] = []

    async def send(self, event: Mapping[str, Any]) -> None:
        self.received.append(event["id"])


class Account(World):
    """An account with one published secret, and its reconciler."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.topic = Topic()
        self.emergencies = Emergencies(self.store, Clock(lambda: self.now))
        self.reconciler = Reconciler(
            self.gatherer, self.journal, Responder(self.emergencies), self.topic
        )
        self.publish(ONE)

    async def stored(self) -> Record:
        return (await self.journal.load(ACCOUNT))[0]

    async def save(self, **members: Any) -> Record:
        return await self.journal.amend(ACCOUNT, lambda r: replace(r, **members))

    async def report(self, **members: Any) -> Emergency:
        made = Emergency(LEAK, ACCOUNT, "salt", Leaked.KEY2, "a leak", "ana", self.now)
        return await self.emergencies.create(replace(made, **members))


@pytest.fixture
def world(tmp_path: Path) -> Account:
    return Account(tmp_path)


async def test_a_healthy_account_rests_and_its_secrets_are_stored(world: Account) -> None:
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.kind in (ActionKind.IDLE, ActionKind.WAIT)
    assert (found.failed, found.retry_now) == (False, False)
    record = await world.stored()
    assert set(record.seen) == set(record.members) == {str(ONE)}
    assert (record.waiting, record.waiting_until) == (found.reason, found.until)
    assert record.published == KEYS.key1.fingerprint(record.salt)


async def test_a_visit_that_changes_nothing_writes_nothing(world: Account) -> None:
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    first = await world.stored()
    world.store.writes.clear()
    found = await world.reconciler.reconcile(ACCOUNT)
    assert world.store.writes == []
    assert (await world.stored(), found.new_wait) == (first, False)


async def test_a_wait_is_new_only_once(world: Account) -> None:
    await world.save(phase=Phase.IDLE, requests=(ASKED,))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    waiting = await world.stored()
    await world.save(waiting_until=NOW - SECOND)
    again = await world.reconciler.reconcile(ACCOUNT)
    assert again.new_wait is (waiting.waiting_until != NOW - SECOND)


@pytest.mark.parametrize("late", [False, True])
async def test_a_message_for_an_earlier_wait_does_nothing(world: Account, late: bool) -> None:
    await world.save(waiting_until=NOW + SECOND)
    wake = NOW if late else NOW + SECOND
    found = await world.reconciler.reconcile(ACCOUNT, [ONE], wake)
    assert (found.reason == "superseded by a newer message") is late
    assert (found.retry_now, bool((await world.stored()).seen)) == (False, not late)


async def test_only_one_worker_acts_on_an_account(world: Account) -> None:
    async with world.journal.lease(ACCOUNT):
        found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.kind, found.retry_now, found.failed) == (ActionKind.WAIT, True, False)
    assert world.store.writes == []


async def test_a_request_begins_a_rotation_whose_regenerate_is_stored_before(
    world: Account,
) -> None:
    await world.save(requests=(ASKED,))
    stored: list[Record] = []

    async def look() -> None:
        stored.append(await world.stored())

    world.accounts.during = look
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    ((account, slot),) = world.accounts.regenerated
    assert (account, slot) == (ACCOUNT, Slot.KEY2)
    (before,) = stored
    assert before.intent is not None
    assert (before.intent.slot, before.intent.answered) == (slot, False)
    assert before.intent.before == KEYS.key2.fingerprint(before.salt)
    operation = before.operation
    assert operation is not None
    assert (before.phase, operation.requester) == (Phase.REGENERATE, "ana")


async def test_a_key_is_published_only_once_arm_lists_it(world: Account) -> None:
    new = Key("d" * 32)
    world.accounts.answer = Keys(KEYS.key1, new)
    world.probe.accepted = (*world.probe.accepted, new)
    world.gatherer.policy = Policy(probe_successes=1)
    await world.save(requests=(ASKED,))
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert new in world.probe.tried, "its proof may begin with the answer"
    assert (found.kind, found.phase) == (ActionKind.WAIT, Phase.VERIFY)
    assert (world.vaults.published, len(world.accounts.regenerated)) == ([], 1)
    world.accounts.shown = MADE
    world.now += timedelta(minutes=1)
    world.accounts.calls.clear()
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert [value for _, value, _, _ in world.vaults.published] == [new]
    assert world.accounts.calls == ["get", "keys"], "one reading serves the proof and the publish"
    assert (found.kind, found.phase) == (ActionKind.WAIT, Phase.OVERLAP)


@pytest.mark.parametrize(("seconds", "phase"), [(8, Phase.VERIFY), (9, Phase.REGENERATE)])
async def test_the_answer_to_a_regenerate_serves_for_eight_seconds(
    world: Account, seconds: int, phase: Phase
) -> None:
    world.accounts.answer = Keys(KEYS.key1, Key("d" * 32))

    async def regenerate() -> None:
        world.now += timedelta(seconds=seconds)

    world.accounts.during = regenerate
    await world.save(requests=(ASKED,))
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.phase is phase


MADE = Keys(KEYS.key1, Key("d" * 32))


async def _proving(world: Account) -> Outcome:
    """Regenerate the spare; the answer's key is accepted once, and waits for its second proof."""
    world.accounts.answer = MADE
    world.probe.accepted = (*world.probe.accepted, MADE.key2)
    await world.save(requests=(ASKED,))
    return await world.reconciler.reconcile(ACCOUNT, [ONE])


async def test_a_visit_that_goes_on_with_its_copy_of_the_record_notices_another_writer(
    world: Account,
) -> None:
    waiting = await _proving(world)
    assert (waiting.phase, waiting.until) == (Phase.VERIFY, NOW + timedelta(seconds=30))
    world.accounts.shown = MADE
    await world.save(requests=(Request("r-2", RequestKind.ABANDON, "no", "ben", NOW),))
    world.now += timedelta(seconds=30)
    await world.reconciler.reconcile(ACCOUNT, [ONE], waiting.until)
    assert world.vaults.published == [], "it was abandoned in the meantime"
    assert (await world.stored()).phase is Phase.IDLE


async def test_keys_listed_at_acceptance_serve_the_visit_that_follows(world: Account) -> None:
    await world.report()
    world.emergencies.handover.give(ACCOUNT, Listed(KEYS, NOW))
    listed: list[int] = []

    async def look() -> None:
        listed.append(world.accounts.calls.count("keys"))

    world.accounts.during = look
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert world.accounts.regenerated == [(ACCOUNT, Slot.KEY2)]
    assert listed == [0]
    assert "keys" in world.accounts.calls, "what became of it is listed"


async def test_explaining_stores_nothing_and_counts_a_request_that_is_only_planned(
    world: Account,
) -> None:
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    before = await world.stored()
    world.store.writes.clear()
    _, usual = await world.reconciler.explain(ACCOUNT)
    facts, planned = await world.reconciler.explain(ACCOUNT, [ONE], ASKED)
    assert usual.kind is ActionKind.IDLE
    assert (planned.kind, planned.slot) == (ActionKind.SEND, Slot.KEY2)
    assert facts.operation.requests == ("r-1",)
    assert facts.record.intent is None, "the facts are those before it is sent"
    assert (await world.stored(), world.store.writes) == (before, [])
    assert world.accounts.regenerated == []


@pytest.mark.parametrize("skew", [timedelta(seconds=61), -timedelta(seconds=61)])
async def test_nothing_is_changed_while_the_clock_is_off(world: Account, skew: timedelta) -> None:
    await world.save(requests=(ASKED,))
    world.gatherer.clock.skew = skew
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.kind is ActionKind.BLOCKED
    assert "clock is off by 61 s" in found.reason
    assert found.until == NOW + skew + SOON
    assert world.accounts.regenerated == []


async def test_a_small_skew_does_not_stop_a_rotation(world: Account) -> None:
    await world.save(requests=(ASKED,))
    world.gatherer.clock.skew = timedelta(seconds=60)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert len(world.accounts.regenerated) == 1


async def test_an_emergency_goes_on_although_the_clock_is_off(world: Account) -> None:
    await world.report()
    world.gatherer.clock.skew = timedelta(hours=1)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert len(world.accounts.regenerated) == 1


@pytest.mark.parametrize(
    ("error", "kind", "wait"),
    [
        (BUSY, ActionKind.WAIT, timedelta(seconds=5)),
        (of_service(Transient("no token", code="NoToken")), ActionKind.WAIT, timedelta(seconds=5)),
        (FORBIDDEN, ActionKind.BLOCKED, timedelta(minutes=15)),
    ],
)
async def test_a_failed_step_is_recorded_with_its_remedy_and_the_next_try(
    world: Account, error: RotationError, kind: ActionKind, wait: timedelta
) -> None:
    world.accounts.errors = {"get": error}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.until is not None
    assert wait / 2 <= found.until - NOW <= wait
    assert (found.kind, found.new_wait) == (kind, True)
    assert (found.retry_now, found.of_service) == (False, error.of_service)
    record = await world.stored()
    assert record.last_failure is not None
    assert found.failure == record.last_failure
    assert (record.last_failure.code, record.failures) == (error.code, 1)
    assert found.reason == record.waiting


async def test_an_unexpected_error_is_one_of_this_account_only(world: Account) -> None:
    world.accounts.errors = {"keys": KeyError("a key")}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.kind, found.of_service) == (ActionKind.BLOCKED, False)
    assert found.failure is not None
    assert (found.failure.code, "a key" in found.reason) == ("Unexpected", False)


@pytest.mark.parametrize(("method", "urgent"), [("keys", False), ("get", True)])
async def test_what_the_secrets_show_is_noted_although_the_keys_cannot_be_listed(
    world: Account, method: str, urgent: bool
) -> None:
    """It tells later which key is published, if the vault cannot be read either."""
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    world.accounts.errors = {method: BUSY}
    if urgent:
        await world.report()
    for value, is_noted in [(KEYS.key2, True), (Key("x" * 32), False)]:
        latest = world.vaults.add(ONE, NOW, TAGS, value).version
        await world.reconciler.reconcile(ACCOUNT, [ONE])
        record = await world.stored()
        assert (record.seen[str(ONE)].version == latest) is is_noted
        assert record.seen[str(ONE)].fingerprint == KEYS.key2.fingerprint(record.salt)
    assert record.failures == 2


async def test_a_failure_is_forgotten_once_the_account_rests_again(world: Account) -> None:
    world.accounts.errors = {"get": BUSY}
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    world.accounts.errors.clear()
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    record = await world.stored()
    assert (record.failures, record.last_failure) == (0, None)


async def test_a_failure_is_shown_on_the_open_emergencies(world: Account) -> None:
    await world.report()
    world.accounts.errors = {"get": FORBIDDEN}
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    found = await world.emergencies.find(LEAK)
    assert found is not None
    assert (found.why, found.remedy) == ("not allowed", "grant the role")


async def test_a_regenerate_that_failed_is_not_held_to_be_under_way(world: Account) -> None:
    await world.save(requests=(ASKED,))
    world.accounts.errors = {"regenerate": FORBIDDEN}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.failed
    record = await world.stored()
    assert (record.intent, record.failures) == (None, 1)
    assert len(world.accounts.regenerated) == 1


async def test_an_emergency_is_committed_before_its_regenerate_is_sent(world: Account) -> None:
    await world.report()
    seen: list[Emergency | None] = []

    async def look() -> None:
        seen.append(await world.emergencies.find(LEAK))

    world.accounts.during = look
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    (found,) = seen
    record = await world.stored()
    assert found is not None
    assert record.intent is not None
    assert found.intent == record.intent.id
    assert found.begun_at == NOW


async def test_the_proof_of_one_of_many_waits_without_a_call_to_azure(world: Account) -> None:
    later = NOW + timedelta(minutes=5)
    await world.report(proof_at=later)
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert len(world.accounts.regenerated) == 1
    assert (found.kind, found.until, found.new_wait) == (ActionKind.WAIT, later, True)
    shown = await world.emergencies.find(LEAK)
    assert shown is not None
    assert (shown.look_at, shown.is_open) == (later, True)
    world.accounts.errors = {"get": FORBIDDEN, "keys": FORBIDDEN}
    again = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (again.failed, again.new_wait, again.until) == (False, False, later)
    world.accounts.errors.clear()
    world.now = later
    await world.reconciler.reconcile(ACCOUNT, wake=later)
    assert "ARM still lists the old key" in (await world.stored()).waiting


async def test_before_a_regenerate_all_listed_secrets_were_read(world: Account) -> None:
    other = TargetId(ONE.vault, "other")
    world.vaults.add(other, NOW, TAGS, KEYS.key1)
    await world.save(requests=(ASKED,))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert set((await world.stored()).members) == {str(ONE), str(other)}
    assert len(world.accounts.regenerated) == 1


async def test_before_a_regenerate_a_vault_that_could_not_be_listed_is_listed_again(
    world: Account,
) -> None:
    other = TargetId(ONE.vault, "other")
    world.vaults.add(other, NOW, TAGS, KEYS.key1)
    world.vaults.errors = {ONE.vault: refused("the listing")}
    await world.reconciler.gatherer.reader.inventory.listings()
    world.vaults.errors.clear()
    await world.save(requests=(ASKED,))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert set((await world.stored()).members) == {str(ONE), str(other)}
    assert len(world.accounts.regenerated) == 1


async def test_a_vault_that_cannot_be_listed_does_not_hide_a_known_secret(
    world: Account,
) -> None:
    world.vaults.errors = {ONE.vault: refused("the listing")}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert set((await world.stored()).members) == {str(ONE)}
    assert not found.retry_now


async def test_waiting_notifications_are_delivered(world: Account) -> None:
    await world.save(outbox=(Notification("n-1", "x", NOW, {}),))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert "n-1" in world.topic.received
    assert (await world.stored()).outbox == ()


async def test_garbage_is_replaced_after_15_minutes_and_its_slots_are_in_quarantine(
    world: Account,
) -> None:
    await world.store.put(ACCOUNT.slug, b"garbage")
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.kind, found.retry_now, found.until) == (ActionKind.WAIT, False, None)
    assert found.failure is not None
    assert found.failure.code == "JournalUnreadable"
    world.now += GARBAGE_FOR
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.retry_now
    record = await world.stored()
    until = world.now + world.gatherer.policy.settle
    assert record.quarantine == {Slot.KEY1: until, Slot.KEY2: until}
    assert record.began_at == world.now, "members of the lost record are looked for"
    assert record.last_failure is not None
    assert record.last_failure.code == "JournalUnreadable"


@pytest.mark.parametrize(("verdict", "at_once"), [(Verdict.OPEN, True), (Verdict.REFUSED, False)])
async def test_in_an_emergency_garbage_is_replaced_at_once(
    world: Account, verdict: Verdict, at_once: bool
) -> None:
    await world.report(verdict=verdict, forced=True)
    await world.store.put(ACCOUNT.slug, b"garbage")
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.retry_now is at_once
    e = await world.emergencies.find(LEAK)
    assert e is not None
    assert bool(e.why) is at_once


async def test_a_step_that_meets_another_writer_reads_the_record_again(world: Account) -> None:
    world.store.contested = ACCOUNT.slug
    world.store.others = [lambda: write(world, requests=(ASKED,))]
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert len(world.accounts.regenerated) == 1
    assert world.accounts.calls[:4] == ["get", "keys"] * 2, "and everything else"


async def write(world: Account, **members: Any) -> None:
    """Change the record as another process does."""
    await Journal(world.store).amend(ACCOUNT, lambda r: replace(r, **members))


async def test_a_failed_step_keeps_what_it_noticed_about_the_account(world: Account) -> None:
    two = TargetId(ONE.vault, "two")
    world.publish(two)
    await world.reconciler.reconcile(ACCOUNT, [ONE, two])
    changed = world.vaults.add(two, NOW, TAGS, KEYS.key1)
    world.vaults.errors = {ONE: FORBIDDEN}
    await world.save(requests=(ASKED,))
    found = await world.reconciler.reconcile(ACCOUNT, [ONE, two])
    assert (found.kind, found.reason) == (ActionKind.BLOCKED, "not allowed; grant the role")
    record = await world.stored()
    assert record.seen[str(two)].version == changed.version
    assert (record.failures, world.accounts.regenerated) == (1, [])


async def test_an_operation_that_a_person_abandons_ends_although_its_account_is_gone(
    world: Account,
) -> None:
    await world.report(begun_at=NOW)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    before = await world.stored()
    assert before.operation is not None
    world.accounts.errors = {"get": FORBIDDEN}
    answer = Request("r-2", RequestKind.ABANDON, "it is gone", "ana", NOW, role=Role.EMERGENCY)
    await world.save(requests=(*before.requests, answer))
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    record, e = await world.stored(), await world.emergencies.find(LEAK)
    assert (record.phase, record.operation) == (Phase.IDLE, None)
    assert e is not None
    assert e.verdict is Verdict.ABANDONED
    assert record.history[-1].outcome == "abandoned by ana: it is gone"
    assert found.failed, "the next step tells that it cannot be read"


class Apps:
    """Apps that are told to read their secrets again."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def refresh(self, consumer: Consumer) -> None:
        self.told.append(consumer.name)
        raise BUSY


SITE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Web/sites/shop"


@pytest.mark.parametrize("is_due", [True, False])
async def test_consumers_are_asked_at_the_end_and_the_visit_waits_for_the_next_attempt(
    world: Account, is_due: bool
) -> None:
    apps = Apps()
    found = parse(f"shop@kv={SITE}", (ONE.vault,))
    world.reconciler.nudging = Nudging(apps, found, world.gatherer.clock)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    due = NOW if is_due else NOW + timedelta(seconds=7)
    await world.save(nudges={"shop": Nudge((f"{ONE}/v1",), due)})
    visited = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert apps.told == ["shop"] * is_due
    wait = timedelta(minutes=1) if is_due else timedelta(seconds=7)
    assert (visited.kind, visited.until) == (ActionKind.WAIT, NOW + wait)
    assert visited.new_wait
    assert (await world.stored()).waiting_until == visited.until


async def test_without_a_way_to_ask_consumers_a_visit_ends_all_the_same(world: Account) -> None:
    await world.save(nudges={"shop": Nudge((f"{ONE}/v1",), NOW)})
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert not found.failed


async def test_keys_listed_at_acceptance_do_not_serve_a_record_that_knows_others(
    world: Account,
) -> None:
    await world.report()
    await world.save(known_keys={Slot.KEY1: "another"})
    world.emergencies.handover.give(ACCOUNT, Listed(KEYS, NOW))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    before, _, _ = " ".join(world.accounts.calls).partition(" regenerate")
    assert "keys" in before.split()


async def test_a_failed_step_tells_which_operation_waits(world: Account) -> None:
    await world.save(requests=(ASKED,))
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    world.accounts.errors = {"get": BUSY}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.operation, found.phase, found.failed) == ("r-1", Phase.REGENERATE, True)


@pytest.mark.parametrize("method", ["reconcile", "explain"])
async def test_an_emergency_goes_on_in_an_account_whose_deployment_failed(
    world: Account, method: str
) -> None:
    """Also if the record names it and its document is not there yet."""
    world.accounts.members = {"provisioning_state": "Failed"}
    leak = Request(LEAK, RequestKind.EMERGENCY, "a leak", "ana", NOW, Leaked.KEY2)
    await world.save(requests=(leak,))
    if method == "explain":
        _, action = await world.reconciler.explain(ACCOUNT, [ONE])
        assert action.kind is ActionKind.SEND
    else:
        await world.reconciler.reconcile(ACCOUNT, [ONE])
        assert len(world.accounts.regenerated) == 1


async def test_only_the_next_step_of_a_proof_goes_on_with_the_copy_of_the_record(
    world: Account,
) -> None:
    proving = await _proving(world)
    world.accounts.shown = MADE
    assert await _reads(world, proving.until) == 0
    waiting = await world.stored()
    assert waiting.phase is Phase.OVERLAP
    assert await _reads(world, waiting.waiting_until) > 0, "an overlap is long"


async def _reads(world: Account, wake: datetime | None) -> int:
    """Visit the account when it waits for; return how often its record is read."""
    assert wake is not None
    world.now = wake
    world.store.reads.clear()
    await world.reconciler.reconcile(ACCOUNT, [ONE], wake)
    return world.store.reads.count(ACCOUNT.slug)


async def test_a_step_that_failed_does_not_leave_its_copy(world: Account) -> None:
    world.accounts.errors = {"get": BUSY}
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert await _reads(world, found.until) > 0


NEWER = codec.dump(replace(Record(ACCOUNT, "salt"), format=FORMAT + 1))


@pytest.mark.parametrize(
    ("members", "is_sent"),
    [
        ({"forced": True}, True),
        ({}, False),
        ({"forced": True, "verdict": Verdict.REFUSED}, False),
    ],
)
async def test_a_newer_record_is_left_alone_and_only_a_forced_emergency_goes_on_beside_it(
    world: Account, members: dict[str, Any], is_sent: bool
) -> None:
    await world.report(**members)
    await world.store.put(ACCOUNT.slug, NEWER)
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert bool(world.accounts.regenerated) is is_sent
    if not is_sent:
        assert found.failure is not None
        assert (found.failure.code, found.retry_now) == ("JournalNewer", False)
    kept = await world.store.read(ACCOUNT.slug)
    assert kept is not None
    assert kept.body == NEWER
    assert (await world.store.read(f"forced-{ACCOUNT.slug}") is not None) is is_sent


@pytest.mark.parametrize("is_withdrawn", [False, True])
async def test_beside_a_newer_record_one_visit_ends_the_emergency_unless_the_force_is_withdrawn(
    world: Account, is_withdrawn: bool
) -> None:
    new = Key("d" * 32)
    world.gatherer.policy = Policy(probe_successes=1)
    world.probe.accepted = (KEYS.key1, new)

    async def regenerate() -> None:
        world.accounts.shown = Keys(KEYS.key1, new)
        if is_withdrawn:
            await world.emergencies.amend(LEAK, lambda e: replace(e, forced=False))

    world.accounts.during = regenerate
    await world.report(forced=True)
    await world.store.put(ACCOUNT.slug, NEWER)
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    e = await world.emergencies.find(LEAK)
    assert e is not None
    assert (e.verdict is Verdict.OPEN) is is_withdrawn
    assert (found.kind is ActionKind.IDLE) is not is_withdrawn
    assert len(world.accounts.regenerated) == 1


async def test_one_emergency_that_is_forced_and_one_that_is_open_are_not_one_that_is_both(
    world: Account,
) -> None:
    await world.report()
    await world.report(id=f"{ACCOUNT.slug}-2", forced=True, verdict=Verdict.REFUSED)
    await world.store.put(ACCOUNT.slug, NEWER)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert world.accounts.regenerated == []


async def test_a_journal_that_fails_beside_a_newer_record_is_reported(world: Account) -> None:
    await world.report(forced=True)
    await world.store.put(ACCOUNT.slug, NEWER)
    read = world.store.read

    async def fail(name: str) -> Document | None:
        if name.startswith("forced-"):
            raise of_service(Transient("no storage", code="Storage"))
        return await read(name)

    world.store.read = fail  # type: ignore[method-assign]
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert found.failure is not None
    assert (found.failure.code, found.of_service, found.retry_now) == ("Storage", True, True)
    assert world.accounts.regenerated == []


async def test_a_forced_emergency_does_not_go_on_if_the_lease_is_lost_before(
    world: Account,
) -> None:
    await world.report(forced=True)
    await world.store.put(ACCOUNT.slug, NEWER)
    others = Journal(world.store).lease(ACCOUNT)
    world.store.contested = f"emergency-{LEAK}"
    world.store.others = [others.__aenter__]
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    await others.__aexit__(None, None, None)
    assert (found.reason, found.retry_now) == ("another worker holds the lease", True)
    assert world.accounts.regenerated == []


async def test_a_forced_emergency_waits_for_the_lease(world: Account) -> None:
    await world.report(forced=True)
    await world.store.put(ACCOUNT.slug, NEWER)
    async with world.journal.lease(ACCOUNT):
        found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.retry_now, world.accounts.regenerated) == (True, [])


async def test_a_journal_that_fails_changes_nothing(world: Account) -> None:
    async def fail(name: str) -> None:
        raise of_service(Transient("no storage", code="Storage"))

    world.store.read = fail  # type: ignore[method-assign]
    found = await world.reconciler.reconcile(ACCOUNT, [ONE])
    assert (found.kind, found.retry_now, found.of_service) == (ActionKind.WAIT, True, True)
    assert found.failure is not None
    assert (found.failure.code, found.reason) == ("Storage", "no storage")
    assert world.store.writes == []
