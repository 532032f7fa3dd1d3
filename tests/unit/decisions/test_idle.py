"""The order of what an idle account needs: repairs first, then what holds it, then a rotation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import idle
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.errors import Transient
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Attempt, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Repair
from rotation.domain.request import Request, RequestKind
from rotation.domain.targets import Enrolment, Target
from rotation.domain.window import parse

from .account import (
    ACCEPTED,
    ACCOUNT,
    INCONCLUSIVE,
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    REFUSED,
    facts,
    name,
    operation,
    phase,
    rotation,
    seen,
    target,
    verdicts,
    version,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
MANUAL = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW, role="r", request_id="q")
OURS = Enrolment(ACCOUNT, validity=90 * DAY, rotation="op-0")
UNKNOWN = Key("d" * 32)


def due(*targets: Target, **record: Any) -> Facts:
    """Return an account that a person asks to rotate."""
    return facts(*targets, **{"requests": (MANUAL,), **record})


def decided(f: Facts) -> tuple[ActionKind, Any]:
    action = idle.decide(f)
    return action.kind, action.not_before


class TestRest:
    def test_a_healthy_account_rests_until_it_is_due(self) -> None:
        f = replace(facts(), policy=Policy(spread=timedelta()))
        assert decided(f) == (ActionKind.IDLE, NOW + 40 * DAY)
        assert KEY1 in idle.decide(f).record.births

    def test_without_secrets_it_rests(self) -> None:
        f = replace(facts(), targets=())
        assert decided(f) == (ActionKind.IDLE, None)
        noted = replace(f, record=replace(f.record, notes={"x": "is not bound", "y": "z"}))
        assert decided(noted) == (ActionKind.BLOCKED, None)
        assert idle.decide(noted).reason == "is not bound; z"

    def test_with_disabled_secrets_only_it_is_blocked(self) -> None:
        f = facts(target("a", None, version="v9"))
        assert decided(f) == (ActionKind.BLOCKED, None)

    def test_the_age_of_the_key_is_read_once(self) -> None:
        f = replace(facts(), versions=None)
        assert idle.decide(f).missing.versions
        known = replace(f, record=replace(f.record, births={KEY1: LONG_AGO}))
        assert idle.decide(known).kind is ActionKind.IDLE

    def test_a_vault_that_is_undecided_holds_it(self) -> None:
        f = due()
        assert decided(replace(f, undecided=f.targets)) == (ActionKind.WAIT, NOW + MINUTE)
        lost = replace(f, undecided=f.targets, record=replace(f.record, frozen_bindings=True))
        assert decided(lost) == (ActionKind.BLOCKED, None)

    def test_a_secret_that_cannot_be_read_fails_with_its_error(self) -> None:
        error = Transient("throttled", code="Throttled")
        action = idle.decide(replace(due(), read_errors={target("a").id: error}))
        assert (action.kind, action.failure) == (ActionKind.BLOCKED, error)


class TestLostRecord:
    def lost(self, *targets: Target, versions: Any = (), **record: Any) -> Facts:
        shown = targets or (target("a", enrolment=OURS), target("b"))
        return facts(*shown, versions=versions, **{"seen": {}, **record})

    def test_both_keys_go_into_quarantine(self) -> None:
        action = idle.decide(self.lost())
        assert (action.kind, phase(action)) == (ActionKind.MOVE, Phase.IDLE)
        assert action.record.quarantine == dict.fromkeys(Slot, NOW + 10 * MINUTE)

    def test_the_versions_tell_what_happened(self) -> None:
        for births in ({}, {KEY1: LONG_AGO}):
            action = idle.decide(replace(self.lost(births=births), versions=None))
            assert (action.kind, action.missing.versions) == (ActionKind.ASK, True)

    def test_not_if_the_secrets_are_recorded_or_we_never_published(self) -> None:
        for f in (self.lost(seen={name("b"): seen()}), self.lost(target("a"), target("b"))):
            assert not idle.decide(f).record.quarantine

    def test_a_spare_that_was_published_before_is_revoked(self) -> None:
        f = self.lost(versions=(version("a", LONG_AGO - DAY, KEYS.key2),))
        action = idle.decide(f)
        assert phase(action) is Phase.OVERLAP
        found = operation(action)
        assert (found.purpose, found.candidate, found.revoke) == (
            Purpose.FINISH,
            Slot.KEY1,
            Slot.KEY2,
        )
        assert (found.value, found.retired) == (KEY1, KEY2)
        assert action.record.quarantine == dict.fromkeys(Slot, NOW + 10 * MINUTE)

    def test_old_versions_are_cleaned_up(self) -> None:
        action = idle.decide(self.lost(versions=(version("a", LONG_AGO - DAY, OLD),)))
        assert phase(action) is Phase.CLEAN
        found = operation(action)
        assert (found.purpose, found.value) == (Purpose.FINISH, KEY1)
        assert (found.revoke, found.retired) == (None, None)

    def test_while_the_secrets_disagree_nothing_is_finished(self) -> None:
        split = target("a", enrolment=OURS), target("b", KEYS.key2)
        found = idle.decide(self.lost(*split, versions=(version("a", LONG_AGO - DAY, OLD),)))
        assert phase(found) is Phase.IDLE


class TestRepairDead:
    def broken(self, *answers: tuple[Key, Any], **record: Any) -> Facts:
        return verdicts(facts(target("a", OLD), target("b"), **record), *answers)

    def test_the_key_that_the_others_publish_is_published(self) -> None:
        action = idle.decide(self.broken())
        found = operation(action)
        assert (phase(action), found.purpose) == (Phase.VERIFY, Purpose.REPAIR)
        assert (found.candidate, found.revoke, found.successes_needed) == (Slot.KEY1, None, 1)

    def test_all_values_and_both_keys_are_probed(self) -> None:
        f = self.broken()
        for missing in (KEYS.key1, KEYS.key2):
            known = {key: verdict for key, verdict in f.verdicts.items() if key != missing}
            assert idle.decide(replace(f, verdicts=known)).kind is ActionKind.ASK
        action = idle.decide(replace(f, verdicts={}))
        assert {*action.missing.probe} == {OLD, KEYS.key1, KEYS.key2}

    @pytest.mark.parametrize(
        ("answers", "slot"),
        [
            (((KEYS.key1, REFUSED),), Slot.KEY2),
            (((KEYS.key1, INCONCLUSIVE),), Slot.KEY2),
            ((), Slot.KEY1),
        ],
    )
    def test_the_first_key_that_works_is_used(self, answers: Any, slot: Slot) -> None:
        assert operation(idle.decide(self.broken(*answers))).candidate is slot

    def test_a_key_in_quarantine_is_not(self) -> None:
        f = self.broken(quarantine={Slot.KEY1: NOW + SECOND})
        assert operation(idle.decide(f)).candidate is Slot.KEY2

    def test_if_none_works_it_waits(self) -> None:
        f = self.broken(quarantine=dict.fromkeys(Slot, NOW + SECOND))
        assert decided(f) == (ActionKind.WAIT, NOW + 30 * SECOND)

    @pytest.mark.parametrize(
        ("shown", "claims", "slot"),
        [
            (KEYS.key2, Slot.KEY1, Slot.KEY2),
            (None, Slot.KEY2, Slot.KEY2),
            (None, Slot.KEY1, Slot.KEY1),
            (None, None, Slot.KEY1),
        ],
    )
    def test_published_keys_come_before_what_a_tag_claims(
        self, shown: Any, claims: Any, slot: Slot
    ) -> None:
        enrolment = Enrolment(ACCOUNT, validity=90 * DAY, claimed=claims)
        others = [target("b", shown)] if shown else []
        f = facts(target("a", OLD, enrolment=enrolment), *others)
        assert operation(idle.decide(f)).candidate is slot

    def test_most_of_the_others_decide(self) -> None:
        f = facts(target("a", OLD), target("b"), target("c", KEYS.key2), target("d", KEYS.key2))
        assert operation(idle.decide(f)).candidate is Slot.KEY2

    def test_blanks_around_a_key_show_which_it_is(self) -> None:
        padded = Key(KEYS.key2.reveal() + "\n")
        assert operation(idle.decide(facts(target("a", padded)))).candidate is Slot.KEY2

    def test_a_disabled_secret_has_no_vote(self) -> None:
        known = {name("b"): seen(KEYS.key2)}
        f = facts(target("a", OLD), target("b", None), seen=known)
        assert operation(idle.decide(f)).candidate is Slot.KEY1

    def test_one_that_can_be_repaired_is_enough(self) -> None:
        f = facts(target("a", OLD), target("b", UNKNOWN))
        f = verdicts(f, (UNKNOWN, ACCEPTED))
        assert phase(idle.decide(f)) is Phase.VERIFY

    @pytest.mark.parametrize(
        ("answer", "reason"), [(ACCEPTED, "works"), (INCONCLUSIVE, "verified")]
    )
    def test_otherwise_it_is_blocked_for_a_moment(self, answer: Any, reason: str) -> None:
        f = self.broken((OLD, answer), seen={})
        assert decided(f) == (ActionKind.BLOCKED, NOW + 30 * SECOND)
        assert reason in idle.decide(f).reason

    def test_one_that_is_repaired_again_and_again_must_rest(self) -> None:
        f = self.broken(repairs={name("a"): Repair(3, NOW)})
        assert decided(f) == (ActionKind.BLOCKED, NOW + 15 * MINUTE)
        both = facts(target("a", OLD), target("b", OLD), repairs={name("a"): Repair(3, NOW)})
        assert phase(idle.decide(both)) is Phase.VERIFY

    def test_the_first_that_has_rested_decides(self) -> None:
        often = {name("a"): Repair(4, NOW), name("b"): Repair(3, NOW)}
        f = facts(target("a", OLD), target("b", OLD), repairs=often)
        assert decided(f) == (ActionKind.BLOCKED, NOW + 15 * MINUTE)


class TestRepairSplit:
    SPLIT = (target("a"), target("b", KEYS.key2))

    def split(self, *targets: Target, **record: Any) -> Facts:
        return facts(*(targets or self.SPLIT), **record)

    @pytest.mark.parametrize(("ours", "slot"), [(KEY1, Slot.KEY1), (KEY2, Slot.KEY2)])
    def test_the_key_that_we_published_last_wins(self, ours: str, slot: Slot) -> None:
        action = idle.decide(self.split(published=ours))
        found = operation(action)
        assert (phase(action), found.purpose) == (Phase.VERIFY, Purpose.REPAIR)
        assert (found.candidate, found.revoke, found.successes_needed) == (slot, None, 1)

    def test_without_a_record_each_vault_with_our_versions_has_a_vote(self) -> None:
        def at(vault: str, secret: str, value: Key, ours: bool = True) -> Target:
            enrolment = OURS if ours else Enrolment(ACCOUNT)
            found = target(secret, value, enrolment=enrolment)
            return Target(
                TargetId(vault, secret),
                found.version,
                value,
                LONG_AGO,
                found.expires,
                None,
                {},
                enrolment,
            )

        f = self.split(
            at("https://k1", "a", KEYS.key1),
            at("https://k1", "b", KEYS.key1),
            at("https://k1", "c", KEYS.key1),
            at("https://k2", "d", KEYS.key2),
            at("https://k3", "e", KEYS.key2),
        )
        assert operation(idle.decide(f)).candidate is Slot.KEY2
        f = self.split(
            at("https://k1", "a", KEYS.key1),
            at("https://k2", "d", KEYS.key2, ours=False),
            at("https://k3", "e", KEYS.key2, ours=False),
        )
        assert operation(idle.decide(f)).candidate is Slot.KEY1

    def test_both_keys_are_probed_first(self) -> None:
        f = self.split()
        for missing in (KEYS.key1, KEYS.key2):
            known = {key: verdict for key, verdict in f.verdicts.items() if key != missing}
            action = idle.decide(replace(f, verdicts=known))
            assert (action.kind, action.missing.probe) == (
                ActionKind.ASK,
                (KEYS.key1, KEYS.key2),
            )

    def test_one_that_is_refused_or_in_quarantine_does_not_win(self) -> None:
        refused = verdicts(self.split(published=KEY1), (KEYS.key1, REFUSED))
        assert operation(idle.decide(refused)).candidate is Slot.KEY2
        waiting = self.split(published=KEY1, quarantine={Slot.KEY1: NOW + SECOND})
        assert operation(idle.decide(waiting)).candidate is Slot.KEY2

    def test_if_the_secret_to_move_must_rest_it_waits(self) -> None:
        often = {name("b"): Repair(3, NOW)}
        f = self.split(published=KEY1, repairs=often)
        assert decided(f) == (ActionKind.BLOCKED, NOW + 15 * MINUTE)
        more = self.split(*self.SPLIT, target("c", KEYS.key2), published=KEY1, repairs=often)
        assert phase(idle.decide(more)) is Phase.VERIFY

    def test_so_it_does_while_no_key_works(self) -> None:
        often, late = {name("b"): Repair(3, NOW)}, dict.fromkeys(Slot, NOW + SECOND)
        f = self.split(published=KEY1, repairs=often, quarantine=late)
        assert decided(f) == (ActionKind.BLOCKED, NOW + 15 * MINUTE)

    def test_one_that_shows_the_right_key_again_need_not_rest(self) -> None:
        assert idle.decide(facts(repairs={name("a"): Repair(3, NOW)})).kind is ActionKind.IDLE

    def test_a_disabled_secret_on_the_other_key_is_a_split_too(self) -> None:
        f = facts(target("a"), target("b", None), seen={name("b"): seen(KEYS.key2)})
        assert operation(idle.decide(f)).purpose is Purpose.REPAIR


class TestRotate:
    def test_a_due_rotation_regenerates_the_spare(self) -> None:
        action = idle.decide(due())
        assert phase(action) is Phase.REGENERATE
        found = operation(action)
        assert (found.purpose, found.candidate, found.revoke) == (
            Purpose.ROTATE,
            Slot.KEY2,
            Slot.KEY1,
        )
        assert (found.retired, found.value, found.successes_needed) == (KEY1, None, 2)
        assert KEY1 in action.record.births

    def test_of_the_other_slot_too(self) -> None:
        found = operation(idle.decide(due(target("a", KEYS.key2), target("b", KEYS.key2))))
        assert (found.candidate, found.revoke, found.retired) == (Slot.KEY1, Slot.KEY2, KEY2)

    def test_it_is_that_of_the_person_and_fulfils_all_requests(self) -> None:
        second = replace(MANUAL, id="m-2")
        resume = Request("r-1", RequestKind.EXPIRY, "x", "y", NOW)
        action = idle.decide(due(requests=(MANUAL, resume, second)))
        found = operation(action)
        assert (found.id, found.requester, found.reason) == ("m-1", "bo", "please")
        assert (found.role, found.request_id, found.asked_at) == ("r", "q", NOW)
        assert found.requests == ("m-1", "m-2")
        assert action.record.requests == (resume,)

    def test_by_schedule_it_has_no_request(self) -> None:
        soon = target("a", expires=NOW + 3 * DAY), target("b", expires=NOW + 3 * DAY)
        found = operation(idle.decide(facts(*soon)))
        assert (found.requester, found.requests, found.asked_at) == ("schedule", (), None)

    def test_to_the_second(self) -> None:
        for early, begins in [(timedelta(), True), (SECOND, False)]:
            shown = target("a", expires=NOW + 30 * DAY + early)
            f = replace(facts(shown), policy=Policy(spread=timedelta()))
            assert (phase(idle.decide(f)) is Phase.REGENERATE) is begins

    def test_the_secrets_that_were_left_behind_are_remembered(self) -> None:
        left = replace(due(), left_behind=(target("z"),))
        assert operation(idle.decide(left)).left_behind == (name("z"),)

    def test_a_guard_holds_it(self) -> None:
        action = idle.decide(verdicts(due(), (KEYS.key1, REFUSED)))
        assert (action.kind, phase(action)) == (ActionKind.WAIT, Phase.IDLE)

    def test_a_withdrawn_secret_with_the_spare_holds_it(self) -> None:
        f = replace(due(), withdrawn=(target("c", KEYS.key2),))
        assert idle.decide(f).kind is ActionKind.WAIT
        f = replace(due(), withdrawn=(target("c", KEYS.key1),))
        assert phase(idle.decide(f)) is Phase.REGENERATE

    def test_a_pause_holds_it_and_is_shown_before_it_is_due(self) -> None:
        paused = Enrolment(ACCOUNT, validity=90 * DAY, paused=True)
        one = target("a", enrolment=paused), target("b")
        assert decided(due(*one)) == (ActionKind.BLOCKED, NOW + 7 * DAY)
        assert idle.decide(facts(*one)).kind is ActionKind.IDLE
        both = target("a", enrolment=paused), target("b", enrolment=paused)
        assert decided(facts(*both)) == (ActionKind.BLOCKED, None)

    def test_the_window_and_the_interval_hold_only_the_schedule(self) -> None:
        closed = Enrolment(ACCOUNT, validity=90 * DAY, window=parse("* 13:00-14:00"))
        soon = target("a", expires=NOW + 3 * DAY, enrolment=closed)
        assert decided(facts(soon)) == (ActionKind.WAIT, NOW + HOUR)
        assert phase(idle.decide(due(soon))) is Phase.REGENERATE
        done = rotation(puts={name("a"): PublishedVersion("v1", NOW - 8 * DAY)})
        shown = target("a", expires=NOW + 3 * DAY)
        f = replace(facts(shown, history=(done,)), policy=Policy(minimum_interval=9 * DAY))
        f = replace(f, record=replace(f.record, births={KEY1: NOW - 80 * DAY}))
        assert decided(f) == (ActionKind.WAIT, NOW + DAY)

    def test_a_refusal_by_azure_policy_holds_only_the_schedule(self) -> None:
        denied = rotation(attempts={name("a"): Attempt(NOW, NOW, "ForbiddenByPolicy")})
        soon = target("a", expires=NOW + 3 * DAY)
        assert decided(facts(soon, history=(denied,))) == (ActionKind.BLOCKED, None)
        assert phase(idle.decide(due(soon, history=(denied,)))) is Phase.REGENERATE
