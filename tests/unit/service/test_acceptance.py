"""An emergency is accepted with its leaked values pinned, even if everything else fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.decisions.pacing import Turn
from rotation.domain.access import Caller
from rotation.domain.document import Document
from rotation.domain.emergency import Emergency, Pin, Verdict
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Purpose
from rotation.domain.record import Record
from rotation.domain.request import Leaked, RequestKind
from rotation.engine.bindings import BindingRegistry
from rotation.engine.emergencies import PREFIX, Emergencies
from rotation.engine.handover import Listed
from rotation.engine.inventory import Inventory
from rotation.engine.journal import Journal
from rotation.engine.reader import SecretReader
from rotation.runtime.clock import Clock
from rotation.service import messages
from rotation.service.acceptance import Acceptance
from rotation.service.messages import Visit
from rotation.service.requests import RotationRequest
from rotation.service.scope import Scope
from tests.unit.decisions.account import rotation
from tests.unit.engine.accounts import Accounts
from tests.unit.engine.stores import SharedStore
from tests.unit.engine.vaults import Vaults

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
VAULT = "https://kv-a.vault.azure.net"
ACCOUNT = AccountId("s", "g", "acct")
KEYS = Keys(Key("key-one"), Key("key-two"))
LEAK = RotationRequest("a leak", "ana", account=ACCOUNT, leaked=Leaked.KEY1, request_id="call-1")
CALLER = Caller("ben")
GONE = Permanent("no such account", code="ResourceNotFound", remedy="correct it")


class Queue:
    """A queue in memory that can fail."""

    def __init__(self) -> None:
        self.error: RotationError | None = None
        self.visits: list[tuple[object, timedelta]] = []

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        if self.error:
            raise self.error
        self.visits.append((messages.load(message), delay))


class World:
    """The service as far as it accepts emergencies."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        clock = Clock(lambda: self.now)
        self.store = SharedStore(directory)
        self.journal, self.emergencies = Journal(self.store), Emergencies(self.store, clock)
        self.accounts, self.queue = Accounts(KEYS), Queue()
        vaults = Vaults((VAULT,))
        inventory = Inventory(vaults, clock, BindingRegistry(self.store, "", (VAULT,)))
        scope = Scope(inventory, SecretReader(vaults, inventory), self.journal)
        self.vaults = vaults
        self.acceptance = Acceptance(
            scope, self.emergencies, self.accounts, self.journal, self.queue, clock
        )

    async def request(self, request: RotationRequest = LEAK, *, ask_arm: bool = True) -> Emergency:
        """Accept an emergency, and return what is stored of it."""
        name, account, is_new = await self.acceptance.request(request, ask_arm=ask_arm)
        assert (account, is_new) == (ACCOUNT, True)
        return await self.stored(name)

    async def stored(self, name: str) -> Emergency:
        found = await self.emergencies.find(name)
        assert found is not None
        return found

    async def record(self) -> Record:
        return (await self.journal.load(ACCOUNT))[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pin(slot: Slot, salt: str) -> Pin:
    return Pin(slot, KEYS[slot].fingerprint(salt))


async def test_the_keys_that_it_hands_over_are_as_old_as_the_call_that_lists_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keys(account: AccountId) -> Keys:
        world.now += timedelta(seconds=5)
        return KEYS

    monkeypatch.setattr(world.accounts, "keys", keys)
    await world.request()
    assert world.emergencies.handover.take(ACCOUNT, world.now) == Listed(KEYS, NOW)


@pytest.mark.parametrize(
    ("leaked", "slots"), [(Leaked.KEY1, [Slot.KEY1]), (Leaked.UNKNOWN, [Slot.KEY1, Slot.KEY2])]
)
async def test_it_pins_the_values_that_arm_lists_now(
    world: World, leaked: Leaked, slots: list[Slot]
) -> None:
    found = await world.request(replace(LEAK, leaked=leaked))
    assert found.pins == tuple(pin(slot, found.salt) for slot in slots)
    assert (found.account, found.reason, found.requester) == (ACCOUNT, "a leak", "ana")
    assert (found.at, found.provisional, found.bulk) == (NOW, False, False)
    assert (found.impatient, found.forced, found.blind) == (False, False, False)


@pytest.mark.parametrize(
    ("asked", "member"), [("now", "impatient"), ("force", "forced"), ("blind", "blind")]
)
async def test_each_option_of_the_operator_is_kept(world: World, asked: str, member: str) -> None:
    found = await world.request(replace(LEAK, **{asked: True}))
    options = [one for one in ("impatient", "forced", "blind") if getattr(found, one)]
    assert options == [member]


async def test_the_record_names_it_and_a_visit_is_enqueued(world: World) -> None:
    secret = TargetId(VAULT, "key")
    world.vaults.add(secret, NOW, {"ProviderAddress": str(ACCOUNT)})
    found = await world.request(replace(LEAK, account=None, secret=secret))
    (request,) = (await world.record()).requests
    assert (request.id, request.kind) == (found.id, RequestKind.EMERGENCY)
    assert world.queue.visits == [(Visit(ACCOUNT, (secret,)), timedelta())]


async def test_a_repeated_request_is_the_earlier_one(world: World) -> None:
    keyed = replace(LEAK, idempotency_key="k")
    first = await world.request(keyed)
    world.queue.visits.clear()
    assert await world.acceptance.request(keyed, ask_arm=True) == (first.id, ACCOUNT, False)
    assert world.queue.visits == []


async def test_a_repeated_request_is_the_emergency_and_not_the_rotation_that_it_took_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = replace(LEAK, idempotency_key="k")
    first = await world.request(keyed)
    key = first.idempotency_key
    assert key
    taken = rotation(id="acct-rotation", purpose=Purpose.EMERGENCY, idempotency_keys=(key,))
    await world.journal.amend(ACCOUNT, lambda r: replace(r, requests=(), history=(taken,)))
    assert await world.acceptance.request(keyed, ask_arm=True) == (first.id, ACCOUNT, False)

    read, first_look = world.store.read, iter([True])

    async def stored_since_the_first_look(name: str) -> Document | None:
        is_late = name == PREFIX + first.id and next(first_look, False)
        return None if is_late else await read(name)

    monkeypatch.setattr(world.store, "read", stored_since_the_first_look)
    assert await world.acceptance.request(keyed, ask_arm=True) == (first.id, ACCOUNT, False)


KNOWN = {Slot.KEY1: "fingerprint-1", Slot.KEY2: "fingerprint-2"}


@pytest.mark.parametrize("error", [Transient("busy"), GONE, TimeoutError()])
async def test_if_arm_fails_it_pins_what_the_record_remembers(
    world: World, error: Exception
) -> None:
    await world.journal.save(Record(ACCOUNT, "record's salt", known_keys=KNOWN), None)
    world.accounts.errors = {"keys": error}
    found = await world.request()
    assert found.pins == (Pin(Slot.KEY1, "fingerprint-1"),)
    assert (found.salt, found.provisional, found.bulk) == ("record's salt", True, False)


async def test_several_at_once_do_not_ask_arm(world: World) -> None:
    await world.journal.save(Record(ACCOUNT, "record's salt", known_keys=KNOWN), None)
    found = await world.request(replace(LEAK, leaked=Leaked.UNKNOWN), ask_arm=False)
    assert [one.fingerprint for one in found.pins] == ["fingerprint-1", "fingerprint-2"]
    assert (found.bulk, found.provisional) == (True, True)


async def test_a_record_that_remembers_nothing_leaves_the_pins_to_the_first_listing(
    world: World,
) -> None:
    world.accounts.errors = {"keys": Transient("busy")}
    assert (await world.request()).pins == ()
    remembered = Record(ACCOUNT, "record's salt", known_keys={Slot.KEY2: "fingerprint-2"})
    await world.journal.amend(ACCOUNT, lambda _: remembered)
    found = await world.request(replace(LEAK, reason="again"))
    assert (found.pins, found.provisional) == ((), False)


async def test_an_account_that_arm_does_not_know_is_refused_if_nothing_else_knows_it(
    world: World,
) -> None:
    world.accounts.errors = {"keys": GONE}
    with pytest.raises(Permanent) as caught:
        await world.acceptance.request(LEAK, ask_arm=True)
    assert caught.value.code == "UnknownAccount"
    world.accounts.errors = {"keys": Permanent("no", code="Forbidden", remedy="grant it")}
    assert (await world.request()).pins == ()


async def test_a_record_or_a_queue_that_fails_refuses_no_emergency(world: World) -> None:
    await world.store.put(ACCOUNT.slug, b"garbage")
    found = await world.request(replace(LEAK, idempotency_key="k"))
    assert found.pins == (pin(Slot.KEY1, found.salt),)
    assert len(world.queue.visits) == 1, "the visit is enqueued all the same"
    world.queue.error = Transient("no queue")
    assert (await world.request()).is_open
    assert (await world.request(ask_arm=False)).pins == ()


@pytest.mark.parametrize(
    ("record", "is_waiting"),
    [
        (None, True),
        (Record(ACCOUNT, "s"), True),
        (Record(ACCOUNT, "s", operation=rotation(purpose=Purpose.EMERGENCY, id="e-1")), False),
        (Record(ACCOUNT, "s", history=(rotation(id="e-1", ended_at=NOW),)), True),
        (Record(ACCOUNT, "s", operation=rotation(id="other")), True),
    ],
)
async def test_an_emergency_waits_while_no_operation_acts_on_it(
    world: World, record: Record | None, is_waiting: bool
) -> None:
    found = Emergency("e-1", ACCOUNT, "s", Leaked.KEY1, "r", "ana", NOW)
    if record:
        await world.journal.save(record, None)
    assert await world.acceptance.is_waiting(found) is is_waiting
    assert not await world.acceptance.is_waiting(replace(found, verdict=Verdict.REFUSED))


async def test_with_a_record_that_cannot_be_read_an_open_one_waits(world: World) -> None:
    found = Emergency("e-1", ACCOUNT, "s", Leaked.KEY1, "r", "ana", NOW)
    await world.store.put(ACCOUNT.slug, b"garbage")
    assert await world.acceptance.is_waiting(found)
    assert not await world.acceptance.is_waiting(replace(found, verdict=Verdict.REFUSED))


async def test_a_person_who_resumes_it_lets_it_begin_and_have_a_visit(world: World) -> None:
    found = await world.request()
    await world.emergencies.amend(found.id, lambda e: replace(e, look_at=NOW + HOUR))
    world.queue.visits.clear()
    await world.acceptance.answer(found, RequestKind.RESUME, CALLER, "looked at")
    resumed = await world.stored(found.id)
    assert (resumed.begun_at, resumed.look_at, resumed.is_open) == (NOW, None, True)
    (note,) = resumed.audit
    assert (note.at, note.what) == (NOW, "resumed by ben: looked at")
    assert world.queue.visits == [(Visit(ACCOUNT), timedelta())]


async def test_resuming_keeps_when_it_began_and_does_not_open_it_again(world: World) -> None:
    found = await world.request()
    await world.emergencies.amend(found.id, lambda e: replace(e, begun_at=NOW - HOUR))
    await world.acceptance.resume(found, CALLER, "r")
    assert (await world.stored(found.id)).begun_at == NOW - HOUR
    over = await world.emergencies.amend(found.id, lambda e: replace(e, verdict=Verdict.REFUSED))
    await world.acceptance.resume(found, CALLER, "r")
    assert await world.stored(found.id) == over


@pytest.mark.parametrize("verdict", [Verdict.ABANDONED, Verdict.CANCELLED])
async def test_a_person_who_ends_it_is_noted_and_the_request_is_removed(
    world: World, verdict: Verdict
) -> None:
    found = await world.request()
    await world.acceptance.close(found, verdict, CALLER, "a mistake")
    closed = await world.stored(found.id)
    assert (closed.verdict, closed.closed_at) == (verdict, NOW)
    assert [note.what for note in closed.audit] == [f"{verdict} by ben: a mistake"]
    assert (await world.record()).requests == ()


async def test_abandoning_is_an_answer_too(world: World) -> None:
    found = await world.request()
    world.queue.visits.clear()
    await world.acceptance.answer(found, RequestKind.ABANDON, CALLER, "a mistake")
    assert (await world.stored(found.id)).verdict is Verdict.ABANDONED
    assert world.queue.visits == []


async def test_after_a_regenerate_was_decided_it_cannot_be_cancelled_but_abandoned(
    world: World,
) -> None:
    found = await world.request()
    await world.emergencies.amend(found.id, lambda e: replace(e, intent="i-1"))
    with pytest.raises(Permanent) as caught:
        await world.acceptance.close(found, Verdict.CANCELLED, CALLER, "a mistake")
    assert caught.value.code == "TooLate"
    assert (await world.stored(found.id)).is_open
    await world.acceptance.close(found, Verdict.ABANDONED, CALLER, "a mistake")
    assert (await world.stored(found.id)).verdict is Verdict.ABANDONED
    (answer,) = (await world.record()).requests
    assert (answer.kind, answer.requester) == (RequestKind.ABANDON, "ben")


async def test_one_that_is_over_keeps_its_verdict(world: World) -> None:
    found = await world.request()
    over = await world.emergencies.amend(found.id, lambda e: replace(e, verdict=Verdict.REFUSED))
    await world.acceptance.close(found, Verdict.ABANDONED, CALLER, "a mistake")
    assert await world.stored(found.id) == over


async def test_the_document_ends_although_the_record_cannot_be_read(world: World) -> None:
    found = await world.request()
    await world.store.put(ACCOUNT.slug, b"garbage")
    await world.acceptance.close(found, Verdict.ABANDONED, CALLER, "a mistake")
    assert (await world.stored(found.id)).verdict is Verdict.ABANDONED


async def test_one_of_many_begins_when_its_calls_fit(world: World) -> None:
    turn = Turn(HOUR, 2 * HOUR)
    name, _, _ = await world.acceptance.request(LEAK, ask_arm=False, turn=turn)
    assert [delay for _, delay in world.queue.visits] == [HOUR]
    found = await world.stored(name)
    assert found.look_at == NOW + HOUR  # the timer does not begin it before
    assert found.proof_at == NOW + 2 * HOUR
    assert "waits for its turn" in found.why


async def test_a_single_one_begins_at_once(world: World) -> None:
    found = await world.request()
    assert [delay for _, delay in world.queue.visits] == [timedelta()]
    assert (found.look_at, found.proof_at, found.why) == (None, None, "")
