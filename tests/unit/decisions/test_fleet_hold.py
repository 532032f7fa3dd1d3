"""A hold of all scheduled work: what it delays, for how long, and what it never delays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.fleet_hold import FleetHold
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import Hold
from rotation.domain.request import Request, RequestKind

from .account import KEYS, NOW, OLD, facts, rotation, running, target

DAY = timedelta(days=1)
ASKED = Request("r-1", RequestKind.MANUAL, "audit", "ana", NOW)


def held(f: Facts, until: timedelta = 5 * DAY) -> Facts:
    """Return the facts while all scheduled work is held."""
    return replace(f, fleet_hold=FleetHold(NOW + until, "release week", "ana", NOW - DAY))


def due_account() -> Facts:
    return facts(requests=(ASKED,))


def test_a_due_rotation_waits_until_the_hold_ends_and_names_the_reason() -> None:
    assert decide(due_account()).kind is ActionKind.MOVE
    action = decide(held(due_account()))
    assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * DAY)
    assert "release week" in action.reason
    assert "ana" in action.reason


def test_it_ends_automatically() -> None:
    assert decide(held(due_account(), timedelta())).kind is ActionKind.MOVE


def test_an_account_that_is_not_due_is_idle() -> None:
    assert decide(held(facts())).kind is ActionKind.IDLE


def test_it_is_counted_like_every_hold() -> None:
    assert decide(held(due_account())).record.held[""].since == NOW


@pytest.mark.parametrize("spent", [7 * DAY, 8 * DAY])
def test_no_longer_than_the_bound_of_a_secret(spent: timedelta) -> None:
    f = due_account()
    spells = {str(t.id): Hold(NOW - spent) for t in f.targets} | {"": Hold(NOW - spent)}
    f = replace(f, record=replace(f.record, held=spells))
    assert decide(held(f, 9 * DAY)).kind is ActionKind.MOVE


def test_a_secret_does_not_expire_because_of_it() -> None:
    soon = target(expires=NOW + 3 * DAY, enrolment=target().enrolment)
    action = decide(held(facts(soon, requests=(ASKED,)), 14 * DAY))
    assert action.not_before == NOW + 3 * DAY - timedelta(hours=26)
    late = target(expires=NOW + DAY)
    assert decide(held(facts(late, requests=(ASKED,)), 14 * DAY)).kind is ActionKind.MOVE


def test_a_revocation_waits_too() -> None:
    shown = [target(name, KEYS.key2) for name in "ab"]
    f = running(Phase.REVOKE, rotation(), *shown)
    assert decide(f).kind is ActionKind.SEND
    assert decide(held(f)).kind is ActionKind.WAIT


def test_a_paused_secret_does_not_end_it() -> None:
    f = due_account()
    spent = {str(f.targets[0].id): Hold(spent=8 * DAY), "": Hold(spent=8 * DAY)}
    assert decide(held(replace(f, record=replace(f.record, held=spent)))).kind is ActionKind.WAIT


def test_what_was_begun_is_finished_and_not_counted() -> None:
    f = running(Phase.VERIFY, rotation())
    action = decide(held(f))
    assert action.kind is decide(f).kind
    assert not action.record.held


def test_repairs_go_on() -> None:
    broken = facts(target("a"), target("b", OLD, tags={}), former=(OLD.fingerprint("salt"),))
    action = decide(held(broken))
    assert action.record.operation
    assert action.record.operation.purpose is Purpose.REPAIR
