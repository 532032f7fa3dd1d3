"""The documents of emergencies say what the steps found out, and why one is not over."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action, ActionKind
from rotation.domain.emergency import STALE, Emergency, Pin, Verdict
from rotation.domain.errors import (
    Conflict,
    Permanent,
    RotationError,
    Transient,
    Unknown,
    Unreadable,
)
from rotation.domain.keys import Slot
from rotation.domain.operation import AuditEntry
from rotation.domain.record import Record
from rotation.domain.request import Leaked
from rotation.engine.emergencies import Emergencies
from rotation.engine.responder import (
    ASLEEP,
    Hold,
    Responder,
    hold_of,
    hold_of_error,
    new_salt,
)
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, emergency, facts

from .stores import SharedStore

SECOND = timedelta(seconds=1)
HOLD = Hold("why", "remedy", NOW)
RECORD = Record(ACCOUNT, "salt")


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path)


@pytest.fixture
def emergencies(store: SharedStore) -> Emergencies:
    return Emergencies(store, Clock(lambda: NOW))


@pytest.fixture
def responder(emergencies: Emergencies) -> Responder:
    return Responder(emergencies)


def document(name: str = "e-1", **more: object) -> Emergency:
    made = Emergency(name, ACCOUNT, "salt", Leaked.KEY1, "a leak", "ana", NOW)
    return replace(made, **more)


async def test_a_request_of_an_earlier_version_gets_a_document(
    responder: Responder, emergencies: Emergencies
) -> None:
    found = await responder.prepare(facts(requests=(emergency(),)), ())
    (made,) = found.emergencies
    assert (made.id, made.account) == ("e-1", ACCOUNT)
    assert made.pins == (Pin(Slot.KEY1, KEYS.key1.fingerprint(made.salt)),)
    assert await emergencies.find("e-1") == made


async def test_a_known_document_is_stored_as_it_is_seen_now(
    responder: Responder, emergencies: Emergencies
) -> None:
    known = document()
    await emergencies.create(known)
    found = await responder.prepare(facts(requests=(emergency(),)), (known,))
    (seen,) = found.emergencies
    assert seen.pins == (Pin(Slot.KEY1, KEYS.key1.fingerprint("salt")),)
    assert await emergencies.find("e-1") == seen


async def test_the_emergencies_that_the_record_names_are_read(
    responder: Responder, emergencies: Emergencies, store: SharedStore
) -> None:
    record = replace(RECORD, requests=(emergency(),))
    assert await responder.of(ACCOUNT, record) == ()
    other = Emergencies(store, Clock(lambda: NOW))
    await other.create(document())
    assert await responder.of(ACCOUNT, record) == (document(),)
    assert await responder.of(ACCOUNT, RECORD) == ()


async def test_only_what_changed_is_stored(
    responder: Responder, emergencies: Emergencies, store: SharedStore
) -> None:
    same, old, new = document("e-1"), document("e-2"), document("e-3")
    for e in (same, old):
        await emergencies.create(e)
    store.writes.clear()
    changed = replace(old, begun_at=NOW)
    await responder.store([same, old], [same, new, changed])
    assert store.writes == ["emergency-e-2"]
    assert await emergencies.find("e-2") == changed


async def test_a_document_that_somebody_else_changed_is_a_conflict(
    responder: Responder, emergencies: Emergencies
) -> None:
    await emergencies.create(document(reason="theirs"))
    with pytest.raises(Conflict):
        await responder.store([document()], [document(begun_at=NOW)])


async def test_the_reason_is_shown_on_open_ones_only(
    responder: Responder, emergencies: Emergencies, store: SharedStore
) -> None:
    over, one, two = document("e-1", verdict=Verdict.REFUSED), document("e-2"), document("e-3")
    for e in (over, one, two):
        await emergencies.create(e)
    await responder.show([over, one, two], HOLD, NOW)
    for e in (one, two):
        found = await emergencies.find(e.id)
        assert found == replace(e, why="why", remedy="remedy", look_at=NOW)
    assert await emergencies.find("e-1") == over
    shown = [e for e in (await emergencies.find("e-2"), await emergencies.find("e-3")) if e]
    store.writes.clear()
    store.reads.clear()
    await responder.show(shown, HOLD, NOW)
    assert (store.writes, store.reads) == ([], [])
    await responder.show(shown, Hold(), NOW)
    assert await emergencies.find("e-2") == one


async def test_one_that_was_closed_in_the_meantime_shows_nothing(
    responder: Responder, emergencies: Emergencies
) -> None:
    over = document(verdict=Verdict.REFUSED)
    await emergencies.create(over)
    await responder.show([document()], HOLD, NOW)
    assert await emergencies.find("e-1") == over


@pytest.mark.parametrize(("age", "is_stale"), [(STALE, False), (STALE + SECOND, True)])
async def test_one_that_never_began_asks_a_person_to_look(
    responder: Responder, emergencies: Emergencies, age: timedelta, is_stale: bool
) -> None:
    other = document("e-2", begun_at=NOW)
    for e in (document("e-1"), other):
        await emergencies.create(e)
    await responder.show([document("e-1"), other], HOLD, NOW + age)
    found, usual = await emergencies.find("e-1"), await emergencies.find("e-2")
    assert found is not None
    assert usual is not None
    assert found.why == ("accepted at 2026-11-28 12:00Z, but never begun" if is_stale else "why")
    assert ("resume it" in found.remedy) is is_stale
    assert (usual.why, usual.remedy) == ("why", "remedy"), "the others show their own reason"


@pytest.mark.parametrize(
    ("action", "hold"),
    [
        (Action(ActionKind.WAIT, "r", RECORD), Hold()),
        (Action(ActionKind.WAIT, "r", RECORD, remedy="do it"), Hold("r", "do it")),
        (Action(ActionKind.BLOCKED, "r", RECORD, remedy="do it"), Hold("r", "do it")),
        (Action(ActionKind.BLOCKED, "r", RECORD), Hold("r", "the reason says what to change")),
        (Action(ActionKind.SEND, "r", RECORD), Hold()),
    ],
)
def test_an_action_that_needs_a_person_is_shown(action: Action, hold: Hold) -> None:
    assert hold_of(action, NOW) == hold


@pytest.mark.parametrize("remedy", ["", "do it"])
@pytest.mark.parametrize(("wait", "look"), [(5, 5), (60, 60), (61, 60), (7200, 60)])
def test_nobody_looks_before_a_wait_is_over_for_at_most_a_minute(
    wait: int, look: int, remedy: str
) -> None:
    action = Action(ActionKind.WAIT, "r", RECORD, NOW + wait * SECOND, remedy=remedy)
    assert hold_of(action, NOW).look_at == NOW + look * SECOND


AGAIN = "it is tried again every minute"


@pytest.mark.parametrize(
    ("exc", "remedy", "look_at"),
    [
        (Permanent("m", code="Forbidden", remedy="grant it"), "grant it", NOW + ASLEEP),
        (Permanent("m", code="Unexpected", remedy="report it"), AGAIN, None),
        (Transient("m"), AGAIN, None),
        (Transient("m", retry_after=timedelta(minutes=1)), AGAIN, None),
        (
            Transient("m", retry_after=timedelta(seconds=61)),
            AGAIN,
            NOW + timedelta(seconds=61),
        ),
        (Unknown("m"), AGAIN, None),
    ],
)
def test_a_failed_step_is_shown_with_its_remedy_and_the_time_of_the_next(
    exc: RotationError, remedy: str, look_at: object
) -> None:
    assert hold_of_error(exc, NOW) == Hold("m", remedy, look_at)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound"])
def test_an_account_that_is_gone_has_its_own_remedy(code: str) -> None:
    found = hold_of_error(Permanent("m", code=code, remedy="check it"), NOW)
    assert (found.why, found.look_at) == ("m", NOW + ASLEEP)
    assert "purge" in found.remedy
    assert "check it" not in found.remedy


@pytest.mark.parametrize("newer", [True, False])
def test_an_unreadable_record_can_be_forced_only_if_it_is_newer(newer: bool) -> None:
    exc = Unreadable("name", newer=newer)
    found = hold_of_error(exc, NOW)
    assert (found.why, found.look_at) == (str(exc), None)
    assert found.remedy.startswith(exc.remedy)
    assert ("--force" in found.remedy) is newer


def test_every_emergency_has_its_own_salt() -> None:
    assert len(bytes.fromhex(new_salt())) == 16
    assert new_salt() != new_salt()


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any, Any]]:
    """Return the level, the state and the reason of each line about an emergency."""
    found = [(r.levelname, *json_of(r.getMessage())) for r in caplog.records if r.name != "asyncio"]
    return [(level, line.get("state"), line.get("reason")) for level, name, line in found]


def json_of(line: str) -> tuple[str, dict[str, Any]]:
    name, _, members = line.partition(" {")
    return name, json.loads("{" + members)


async def test_the_end_of_an_emergency_is_logged_once_with_its_last_note(
    responder: Responder, emergencies: Emergencies, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    open_one, over = document("e-1"), document("e-2", verdict=Verdict.REFUSED)
    for e in (open_one, over):
        await emergencies.create(e)
    audit = (AuditEntry(NOW, "first"), AuditEntry(NOW, "last"))
    begun = replace(open_one, begun_at=NOW)
    await responder.store([open_one, over], [begun, replace(over, why="x")])
    assert lines(caplog) == []
    await responder.store([begun], [replace(begun, verdict=Verdict.ABANDONED, audit=audit)])
    assert lines(caplog) == [("INFO", "abandoned", "last")]


async def test_a_new_reason_that_a_key_is_not_revoked_is_logged_once(
    responder: Responder, emergencies: Emergencies, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await emergencies.create(document())
    await responder.show([document()], HOLD, NOW)
    await responder.show([document(why="why")], replace_hold(remedy="another"), NOW)
    await responder.show([document(why="why")], Hold(), NOW)
    assert lines(caplog) == [("ERROR", "not-revoked", "why")]


def replace_hold(**members: Any) -> Hold:
    return dataclasses.replace(HOLD, **members)
