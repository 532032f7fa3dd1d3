"""A hold of all scheduled work: what it delays, for how long, and what it never delays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions import holds
from rotation.decisions.actions import ActionKind, MissingFacts
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


def scheduled(at: Phase, purpose: Purpose = Purpose.ROTATE) -> Facts:
    """Return an account in a phase; idle, its rotation is due."""
    if at is Phase.IDLE:
        return due_account()
    return running(at, rotation(purpose=purpose), target("a", KEYS.key2))


class TestUnread:
    """Before scheduled work sends something, it must be known whether a person holds it."""

    def unread(self, f: Facts) -> bool:
        return holds.unread(replace(f, is_hold_unread=True)) is not None

    @pytest.mark.parametrize("at", Phase)
    def test_only_what_was_begun_and_sends_no_regenerate_need_not_know_it(self, at: Phase) -> None:
        waits = (Phase.IDLE, Phase.REGENERATE, Phase.OVERLAP, Phase.REVOKE)
        assert self.unread(scheduled(at)) is (at in waits)

    @pytest.mark.parametrize("purpose", Purpose)
    def test_nor_need_repairs_and_emergencies(self, purpose: Purpose) -> None:
        f = scheduled(Phase.REGENERATE, purpose)
        assert self.unread(f) is (purpose in (Purpose.ROTATE, Purpose.FINISH))

    def test_it_is_asked_for_once(self) -> None:
        assert holds.unread(due_account()) is None

    def test_the_hold_itself_is_asked_for_first(self) -> None:
        action = holds.fleet(replace(held(due_account()), is_hold_unread=True))
        assert action is not None
        assert (action.kind, action.missing) == (ActionKind.ASK, MissingFacts(fleet_hold=True))

    def test_an_account_that_is_not_due_does_not_ask(self) -> None:
        assert decide(replace(facts(), is_hold_unread=True)).kind is ActionKind.IDLE
        assert decide(replace(due_account(), is_hold_unread=True)).missing.fleet_hold

    def test_until_then_the_spells_of_a_hold_go_on(self) -> None:
        spells = {"": Hold(NOW - DAY)}
        f = due_account()
        f = replace(f, record=replace(f.record, held=spells), is_hold_unread=True)
        action = decide(f)
        assert (action.missing, action.record.held) == (MissingFacts(fleet_hold=True), spells)


class TestEnd:
    """The hold ends at the first of its bounds."""

    def until(self, f: Facts, until: timedelta = 13 * DAY) -> timedelta | None:
        action = holds.fleet(held(f, until))
        return action.not_before - NOW if action and action.not_before else None

    def spent(self, **days: int) -> Facts:
        f = due_account()
        spells = {str(t.id): Hold(None, days.get(t.id.name, 0) * DAY) for t in f.targets}
        return replace(f, record=replace(f.record, held=spells))

    def test_at_its_own_end(self) -> None:
        assert self.until(due_account(), 5 * DAY) == 5 * DAY
        assert self.until(due_account(), timedelta(seconds=1)) == timedelta(seconds=1)

    def test_when_the_hold_of_the_last_secret_is_used_up(self) -> None:
        assert self.until(self.spent()) == 7 * DAY
        assert self.until(self.spent(a=6, b=2)) == 5 * DAY
        assert self.until(self.spent(a=2, b=6)) == 5 * DAY
        assert self.until(self.spent(a=6, b=7)) == DAY
        assert self.until(self.spent(a=7, b=8)) is None

    def test_one_overlap_before_the_first_secret_expires(self) -> None:
        for first, second in [(4, 9), (9, 4)]:
            shown = target("a", expires=NOW + first * DAY), target("b", expires=NOW + second * DAY)
            assert self.until(facts(*shown)) == 4 * DAY - timedelta(hours=26)
        late = facts(target("a", expires=NOW + timedelta(hours=26)), target("b"))
        assert self.until(late) is None

    def test_without_an_expiry_only_the_other_bounds_count(self) -> None:
        assert self.until(facts(target("a", expires=None), target("b", expires=None))) == 7 * DAY

    def test_without_secrets_it_is_its_own_end_within_thirty_days(self) -> None:
        empty = replace(due_account(), targets=())
        assert self.until(empty) == 13 * DAY
        assert self.until(empty, 40 * DAY) == 30 * DAY - timedelta(hours=26)

    def test_after_fourteen_days_it_is_over_although_its_end_is_later(self) -> None:
        late = FleetHold(NOW + DAY, "forgotten", "ana", NOW - 14 * DAY)
        assert holds.fleet(replace(due_account(), fleet_hold=late)) is None

    @pytest.mark.parametrize("purpose", Purpose)
    def test_it_never_holds_repairs_and_emergencies(self, purpose: Purpose) -> None:
        f = held(scheduled(Phase.REGENERATE, purpose))
        assert (holds.fleet(f) is not None) is (purpose in (Purpose.ROTATE, Purpose.FINISH))

    @pytest.mark.parametrize("at", Phase)
    def test_what_was_begun_spends_nothing_of_the_bound_of_its_secrets(self, at: Phase) -> None:
        f = held(scheduled(at))
        waits = (Phase.IDLE, Phase.REGENERATE, Phase.OVERLAP, Phase.REVOKE)
        assert bool(holds.counted(f).record.held) is (at in waits)

    def test_once_it_is_over_it_spends_nothing(self) -> None:
        assert not holds.counted(held(due_account(), timedelta())).record.held
