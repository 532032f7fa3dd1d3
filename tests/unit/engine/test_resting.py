"""A routine visit to an account at rest asks Resource Manager only if something has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from rotation.decisions.actions import ActionKind
from rotation.domain import standing
from rotation.domain.emergency import Emergency, Verdict
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Intent, Phase
from rotation.domain.record import Failure, Notification, Nudge, Record
from rotation.domain.request import Leaked
from rotation.domain.standing import SETTLED, Shown
from rotation.domain.targets import SecretSnapshot
from rotation.engine import resting
from rotation.engine.outcome import Outcome
from rotation.engine.reader import Read
from rotation.engine.recent import Recent
from rotation.engine.resting import FULL
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, OLD, facts, rotation, target

from .test_gatherer import ONE, TAGS, TWO
from .test_reconciler import ASKED, FORBIDDEN, LEAK, Account
from .vaults import refused

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
async def world(tmp_path: Path) -> Account:
    """Return an account at rest, whose Resource Manager refuses all calls from now on."""
    made = Account(tmp_path)
    await made.reconciler.reconcile(ACCOUNT, [ONE])
    await made.reconciler.reconcile(ACCOUNT, [ONE])
    made.probe.tried.clear()
    made.accounts.errors = {"get": FORBIDDEN}
    return made


async def look(world: Account, *known: TargetId) -> Outcome:
    return await world.reconciler.reconcile(ACCOUNT, known or (ONE,), routine=True)


async def test_one_probe_shows_that_nothing_has_changed(world: Account) -> None:
    before = await world.stored()
    world.store.writes.clear()
    found = await look(world)
    assert (found.kind, found.failed, found.retry_now) == (ActionKind.IDLE, False, False)
    assert (found.reason, found.until) == (before.waiting, before.waiting_until)
    assert world.probe.tried == [KEYS.key1]
    assert world.store.writes == []


async def test_other_visits_are_full(world: Account) -> None:
    assert (await world.reconciler.reconcile(ACCOUNT, [ONE])).failed


def _changed(world: Account, **members: object) -> None:
    world.vaults.secrets[ONE] = [replace(world.vaults.secrets[ONE][-1], **members)]  # type: ignore[arg-type]


CHANGES: dict[str, Callable[[Account], object]] = {
    "its key is refused": lambda w: setattr(w.probe, "accepted", (KEYS.key2,)),
    "another version": lambda w: _changed(w, version="v2"),
    "another value": lambda w: _changed(w, value=OLD),
    "the other key": lambda w: _changed(w, value=KEYS.key2),
    "another tag": lambda w: _changed(w, tags={"ProviderAddress": str(ACCOUNT)}),
    "another expiry": lambda w: _changed(w, expires=NOW),
    "disabled": lambda w: _changed(w, value=None),
    "gone": lambda w: w.vaults.secrets.clear(),
    "unreadable": lambda w: w.vaults.errors.update({ONE: refused("the secret")}),
    "six hours": lambda w: setattr(w, "now", NOW + FULL),
    "a clock that went back": lambda w: setattr(w, "now", NOW - FULL),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_needs_a_full_visit(world: Account, change: str) -> None:
    CHANGES[change](world)
    assert (await look(world)).failed


async def test_until_then_it_does_not(world: Account) -> None:
    world.now += FULL - MINUTE
    assert not (await look(world)).failed


async def test_a_secret_that_was_not_known_needs_a_full_visit(world: Account) -> None:
    assert (await look(world, ONE, TWO)).failed


async def test_the_full_visit_that_follows_reads_the_same_secrets(world: Account) -> None:
    world.vaults.add(TWO, NOW, TAGS, KEYS.key1)
    world.accounts.errors = {}
    await world.reconciler.reconcile(ACCOUNT, iter([ONE, TWO]), routine=True)
    assert set((await world.stored()).members) == {str(ONE), str(TWO)}


async def test_so_do_a_request_a_wait_that_is_over_and_an_emergency(world: Account) -> None:
    await world.save(requests=(ASKED,))
    assert (await look(world)).failed
    world.accounts.errors = {}
    await world.save(requests=())
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    world.accounts.errors = {"get": FORBIDDEN}
    assert not (await look(world)).failed
    made = Emergency(LEAK, ACCOUNT, "salt", Leaked.KEY2, "a leak", "ana", world.now)
    await world.emergencies.create(made)
    assert (await look(world)).failed


async def test_a_wait_that_is_over_needs_a_full_visit(world: Account) -> None:
    due = (await world.stored()).waiting_until
    assert due is not None
    left = world.reconciler.resting._left
    left[ACCOUNT] = replace(left[ACCOUNT], at=due)
    world.now = due - timedelta(seconds=1)
    assert not (await look(world)).failed
    world.now = due
    assert (await look(world)).failed


async def test_nothing_is_remembered_of_an_account_with_work_to_do(world: Account) -> None:
    world.accounts.errors = {}
    for members in (
        {"phase": Phase.VERIFY, "operation": rotation()},
        {"began_at": NOW},
    ):
        await world.save(phase=Phase.IDLE, operation=None)
        await world.save(**members)
        await world.reconciler.reconcile(ACCOUNT, [ONE])
        world.accounts.errors = {"get": FORBIDDEN}
        assert (await look(world)).failed, members
        world.accounts.errors = {}


async def test_nothing_is_remembered_of_an_account_with_a_secret_that_waits(
    tmp_path: Path,
) -> None:
    world = Account(tmp_path)
    world.vaults.add(TWO, NOW, TAGS, KEYS.key1)
    for change in (
        lambda: world.vaults.add(TWO, NOW, {}, KEYS.key1),  # its tags come back
        lambda: world.vaults.add(TWO, NOW, TAGS, Key("a password")),  # foreign
        lambda: world.vaults.errors.update({TWO: refused("two")}),
    ):
        world.vaults.secrets[TWO] = world.vaults.secrets[TWO][:1]
        await world.reconciler.reconcile(ACCOUNT, [ONE, TWO])
        await world.reconciler.reconcile(ACCOUNT, [ONE, TWO])
        world.accounts.errors = {"get": FORBIDDEN}
        assert not (await look(world, ONE, TWO)).failed
        world.accounts.errors = {}
        change()
        await world.reconciler.reconcile(ACCOUNT, [ONE, TWO])
        world.accounts.errors = {"get": FORBIDDEN}
        assert (await look(world, ONE, TWO)).failed
        world.accounts.errors, world.vaults.errors = {}, {}


AT_REST = Outcome(ACCOUNT, ActionKind.IDLE, "fine")
BUSY: dict[str, dict[str, object]] = {
    "foreign": {"foreign": (target("f"),)},
    "withdrawn": {"withdrawn": (target("w"),)},
    "undecided": {"undecided": (target("u"),)},
    "an error": {"read_errors": {TWO: refused("two")}},
    "left behind": {"left_behind": (TWO,)},
    "strays": {"strays": (TWO,)},
    "no live key": {"keys": Keys(OLD, KEYS.key2)},
    "an open emergency": {
        "emergencies": (Emergency(LEAK, ACCOUNT, "salt", Leaked.KEY2, "a leak", "ana", NOW),)
    },
}
WORK: dict[str, dict[str, object]] = {
    "a request": {"requests": (ASKED,)},
    "an intent": {"intent": Intent("i", Slot.KEY2, "f", NOW)},
    "a notification": {"outbox": (Notification("n", "x", NOW, {}),)},
    "a consumer to ask": {"nudges": {"app": Nudge(("v",), NOW)}},
    "a block": {"blocked": Failure("c", "m", "r", NOW)},
    "a failure": {"last_failure": Failure("c", "m", "r", NOW)},
    "a search": {"began_at": NOW},
    "an overlap": {"phase": Phase.OVERLAP},
}
CLOSED = Emergency(
    LEAK, ACCOUNT, "salt", Leaked.KEY2, "a leak", "ana", NOW, verdict=Verdict.REFUSED
)
FINE: dict[str, dict[str, object]] = {
    "nothing": {},
    "a search that is over": {"began_at": NOW, "searched": True},
}


@pytest.mark.parametrize(
    ("seen", "record", "is_kept"),
    [
        *((more, {}, False) for more in BUSY.values()),
        *(({}, more, False) for more in WORK.values()),
        *(({}, more, True) for more in FINE.values()),
        ({"emergencies": (CLOSED,)}, {}, True),
    ],
    ids=[*BUSY, *WORK, *FINE, "an emergency that is over"],
)
async def test_only_an_account_without_anything_to_do_is_at_rest(
    world: Account, seen: dict[str, Any], record: dict[str, Any], is_kept: bool
) -> None:
    resting, one = world.reconciler.resting, target("one")
    snapshot = SecretSnapshot(one.id, one.version, one.value, one.created)
    kept = structs.replace(facts(one).record, waiting_until=NOW + FULL, **record)
    f = structs.replace(facts(one), record=kept, **seen)
    recent = Recent(f.account, Read((snapshot,)), facts=f)
    resting.note(AT_REST, recent, (kept, "etag"))
    assert (ACCOUNT in resting._left) is is_kept


@pytest.mark.parametrize(
    ("kind", "phase", "is_kept"),
    [
        (ActionKind.IDLE, Phase.IDLE, True),
        (ActionKind.WAIT, Phase.OVERLAP, True),
        (ActionKind.WAIT, Phase.IDLE, False),
        (ActionKind.BLOCKED, Phase.OVERLAP, False),
        (ActionKind.WAIT, Phase.VERIFY, False),
    ],
)
async def test_an_account_rests_if_idle_or_in_its_overlap(
    world: Account, kind: ActionKind, phase: Phase, is_kept: bool
) -> None:
    resting, one = world.reconciler.resting, target("one")
    snapshot = SecretSnapshot(one.id, one.version, one.value, one.created)
    f = facts(one, phase=phase, operation=rotation())
    recent = Recent(f.account, Read((snapshot,)), facts=f)
    resting.note(replace_outcome(kind), recent, (f.record, "etag"))
    assert (ACCOUNT in resting._left) is is_kept
    resting.note(replace_outcome(kind), recent, None)
    assert ACCOUNT not in resting._left, "the lease was lost"


def replace_outcome(kind: ActionKind) -> Outcome:
    return structs.replace(AT_REST, kind=kind)


async def test_no_key_is_remembered(world: Account) -> None:
    left = repr(world.reconciler.resting._left[ACCOUNT])
    shown = world.reconciler.resting._left[ACCOUNT].shown[ONE]
    assert shown[0].value is None
    assert not any(isinstance(one, Key) for one in shown)
    assert KEYS.key1.reveal() not in left


def digest(world: Account) -> str:
    s = world.vaults.secrets[ONE][-1]
    shown = Shown(s.id, True, s.created, s.updated, s.expires, s.content_type or "", s.tags)
    return f"{standing.digest([shown], world.gatherer.policy):032x}"


async def rested(world: Account, **members: object) -> Record:
    """Return the record after a full visit, with the secret as given."""
    world.accounts.errors = {}
    _changed(world, **members)
    await world.reconciler.reconcile(ACCOUNT, [ONE])
    return await world.stored()


async def test_a_visit_that_leaves_an_account_at_rest_notes_what_listings_show(
    world: Account,
) -> None:
    record = await rested(world, updated=NOW - MINUTE)
    assert record.rest == digest(world)
    assert standing.parse(standing.index(record)) is not None
    entries = {entry.name: entry.index async for entry in world.journal.entries()}
    assert entries == {ACCOUNT.slug: standing.index(record)}


async def test_what_was_updated_just_now_is_noted_by_a_later_look(world: Account) -> None:
    assert (await rested(world, updated=NOW)).rest == ""
    world.accounts.errors = {"get": FORBIDDEN}
    for later, writes in ((SETTLED - SECOND, []), (SETTLED, [ACCOUNT.slug]), (MINUTE, [])):
        world.now = NOW + later
        world.store.writes.clear()
        assert not (await look(world)).failed
        assert world.store.writes == writes
    assert (await world.stored()).rest == digest(world)


@pytest.mark.parametrize("members", [{"value": None}, {"updated": None}, {"value": OLD}])
async def test_nothing_is_noted_of_an_account_that_is_not_at_rest(
    world: Account, members: dict[str, object]
) -> None:
    assert (await rested(world, **({"updated": NOW - MINUTE} | members))).rest == ""


async def test_the_oldest_accounts_are_forgotten(
    world: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "REMEMBERED", 0)
    await rested(world)
    assert world.reconciler.resting._left == {}
