"""Facts that are derived from what was read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import actions, announcements, lifecycle
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.decisions.notifications import audit_record, notify
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Ending, Intent, Phase, PublishedVersion, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Hold, Notification, ObservedVersion
from rotation.domain.request import Leaked, Request, RequestKind

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
    rotation,
    running,
    seen,
    target,
    verdicts,
    version,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
ANSWERED = ProbeVerdict(ProbeResult.ANSWERED)
LENIENT = Policy(probe=ProbePolicy.ACCEPT)


class TestSlots:
    def test_enabled_secrets_decide_which_slot_is_live(self) -> None:
        assert facts().live is Slot.KEY1
        assert facts(target("a", KEYS.key2)).live is Slot.KEY2
        assert facts(target("a"), target("b", KEYS.key2)).live is None
        assert facts(target("a"), target("b", OLD)).live is None
        disabled = target("b", None)
        assert facts(target("a", KEYS.key2), disabled).live is Slot.KEY2

    def test_broken_is_an_enabled_secret_with_neither_key(self) -> None:
        f = facts(target("a", OLD), target("b"), target("c", None, version="v9"))
        assert [t.id.name for t in f.broken] == ["a"]
        assert [t.id.name for t in f.unreadable] == ["c"]
        assert [t.id.name for t in f.publishing(Slot.KEY1)] == ["b"]
        assert [t.id.name for t in f.publishing_other(Slot.KEY1)] == ["a"]
        assert [t.id.name for t in f.not_publishing(Slot.KEY1)] == ["a", "c"]

    def test_one_that_cannot_be_read_is_not_counted_as_without_the_key(self) -> None:
        hidden = target("a", None, readable=False, version="v9")
        assert facts(hidden).not_publishing(Slot.KEY1) == ()

    def test_a_quarantine_is_over_at_its_end(self) -> None:
        f = facts(quarantine={Slot.KEY1: NOW, Slot.KEY2: NOW + SECOND})
        assert f.quarantined_until(Slot.KEY1) is None
        assert f.quarantined_until(Slot.KEY2) == NOW + SECOND
        assert facts().quarantined_until(Slot.KEY1) is None

    def test_without_an_operation_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="no operation"):
            _ = facts().operation


class TestSuperseded:
    def at(self, *versions: Any, **more: Any) -> datetime | None:
        return replace(facts(versions=versions), **more).superseded_at(Slot.KEY2)

    def test_the_next_version_replaced_the_value(self) -> None:
        first = version("a", NOW - 40 * DAY, KEYS.key2)
        assert self.at(first) == LONG_AGO
        assert self.at(first, version("a", NOW - 30 * DAY, OLD, "v-1")) == NOW - 30 * DAY

    def test_the_last_replacement_of_any_secret_counts(self) -> None:
        found = self.at(
            version("a", NOW - 40 * DAY, KEYS.key2),
            version("b", NOW - 40 * DAY, KEYS.key2, "v-2"),
            version("b", NOW - 30 * DAY, OLD, "v-1"),
        )
        assert found == LONG_AGO

    def test_versions_of_one_second_have_no_order(self) -> None:
        assert self.at(version("a", LONG_AGO, KEYS.key2)) == LONG_AGO

    def test_the_latest_is_not_replaced(self) -> None:
        shown = target("c", KEYS.key2)
        latest = version("c", LONG_AGO, KEYS.key2, "v1")
        for members in ("left_behind", "strays"):
            assert self.at(latest, **{members: (shown,), "foreign": (shown,)}) is None
        assert self.at(latest, foreign=(shown,)) == LONG_AGO

    def test_other_values_and_unread_versions_do_not_count(self) -> None:
        assert self.at(version("a", LONG_AGO - DAY, OLD)) is None
        assert self.at(version("a", LONG_AGO - DAY, None)) is None
        assert self.at(versions=None) is None


class TestFormerKeys:
    def test_the_retired_key_is_remembered_or_read(self) -> None:
        op = rotation(retired=OLD.fingerprint("salt"))
        f = running(Phase.PROVE, op)
        assert f.retired_key is None
        assert replace(f, cached_keys=(KEYS.key1, OLD)).retired_key == OLD
        old = (version("a", LONG_AGO, None), version("b", LONG_AGO, OLD))
        assert replace(f, versions=old).retired_key == OLD

    def former(self, *versions: Any, **more: Any) -> Key | None:
        return replace(facts(versions=versions), **more).superseded_key

    def test_the_superseded_key_is_the_newest_former_one(self) -> None:
        older = version("a", NOW - 40 * DAY, Key("e" * 32), "v-1")
        newer = version("b", NOW - 30 * DAY, OLD)
        assert self.former(older, newer) == OLD
        assert self.former(newer, older) == OLD
        assert self.former(older) == Key("e" * 32)

    def test_one_that_cannot_be_read_may_be_it(self) -> None:
        older, newer = version("a", NOW - 40 * DAY, OLD), version("a", NOW - DAY, None, "v-1")
        assert self.former(older, newer) is None

    def test_passwords_current_keys_and_other_secrets_are_not(self) -> None:
        assert self.former(version("a", LONG_AGO, Key("a password"))) is None
        assert self.former(version("a", LONG_AGO, KEYS.key2)) is None
        assert self.former(version("z", LONG_AGO, OLD)) is None
        for members in ("left_behind", "strays"):
            assert self.former(version("z", LONG_AGO, OLD), **{members: (target("z"),)}) == OLD


class TestOtherSalt:
    @pytest.mark.parametrize(
        ("before", "other"),
        [
            (seen(OLD), True),
            (seen(), False),
            (seen(OLD, "v0"), False),
            (ObservedVersion("v1", ""), False),
            (None, False),
        ],
    )
    def test_one_version_has_one_fingerprint(self, before: Any, other: bool) -> None:
        f = facts(target("a"), seen={name("a"): before} if before else {})
        assert f.has_other_salt is other

    def test_a_disabled_version_shows_nothing(self) -> None:
        assert not facts(target("a", None), seen={name("a"): seen(OLD)}).has_other_salt


class TestObserved:
    def observed(self, shown: Any, before: Any = None, group: str = "targets") -> ObservedVersion:
        f = facts(seen={name("x"): before} if before else {})
        return replace(f, **{group: (shown,)}).observed[name("x")]

    @pytest.mark.parametrize("group", ["targets", "withdrawn", "left_behind", "strays"])
    def test_a_version_is_remembered_since_it_was_first_seen(self, group: str) -> None:
        shown = target("x", tagged=False)
        found = self.observed(shown, group=group)
        assert found == ObservedVersion("v1", KEY1, NOW, tagged=False)
        before = seen(since=LONG_AGO)
        assert self.observed(target("x"), before, group).since == LONG_AGO
        assert self.observed(target("x", version="v2"), before, group).since == NOW

    def test_a_disabled_one_keeps_its_last_observation(self) -> None:
        before = seen(since=LONG_AGO)
        assert self.observed(target("x", None, version="v2"), before) == before
        found = self.observed(target("x", None, tagged=False))
        assert found == ObservedVersion("v1", "", tagged=False)

    def test_a_foreign_value_has_no_fingerprint(self) -> None:
        shown = target("x", Key("{}"), tagged=False)
        found = self.observed(shown, group="foreign")
        assert found == ObservedVersion("v1", "", NOW, tagged=False, foreign=True)
        before = ObservedVersion("v1", "", LONG_AGO, foreign=True)
        assert self.observed(shown, before, "foreign").since == LONG_AGO
        assert self.observed(shown, seen(since=LONG_AGO), "foreign").since == NOW
        newer = target("x", Key("{}"), version="v2")
        assert self.observed(newer, before, "foreign").since == NOW
        disabled = target("x", None, version="v2")
        assert self.observed(disabled, before, "foreign") == before
        assert self.observed(disabled, seen(since=LONG_AGO), "foreign").foreign


class TestProof:
    @pytest.mark.parametrize(
        ("answer", "control", "accepted", "trusted", "lenient"),
        [
            (ACCEPTED, REFUSED, True, True, True),
            (ANSWERED, REFUSED, True, True, True),
            (ACCEPTED, ACCEPTED, False, False, False),
            (ACCEPTED, INCONCLUSIVE, False, False, True),
            (INCONCLUSIVE, REFUSED, False, False, True),
            (REFUSED, REFUSED, False, False, False),
            (ACCEPTED, None, None, None, None),
        ],
    )
    def test_a_key_is_accepted_only_if_a_random_one_is_refused(
        self, answer: Any, control: Any, accepted: Any, trusted: Any, lenient: Any
    ) -> None:
        f = replace(verdicts(facts(), (OLD, answer)), control=control)
        assert (f.accepted(OLD), f.trusted(OLD)) == (accepted, trusted)
        assert replace(f, policy=LENIENT).trusted(OLD) is lenient
        unknown = replace(f, verdicts={})
        assert (unknown.accepted(OLD), unknown.trusted(OLD)) == (None, None)

    def test_one_is_refused_only_if_a_current_one_is_accepted(self) -> None:
        assert facts().refused(OLD)
        assert verdicts(facts(), (KEYS.key1, REFUSED)).refused(OLD)
        both = (KEYS.key1, REFUSED), (KEYS.key2, INCONCLUSIVE)
        assert not verdicts(facts(), *both).refused(OLD)
        assert not verdicts(facts(), (OLD, INCONCLUSIVE)).refused(OLD)
        assert not replace(facts(), verdicts={}).refused(OLD)

    def test_the_longest_pause_that_was_asked_for_is_kept(self) -> None:
        slow, slower = (ProbeVerdict(ProbeResult.INCONCLUSIVE, "", n * HOUR) for n in (1, 2))
        f = verdicts(facts(), (OLD, slow))
        assert facts().probe_pause == timedelta()
        assert f.probe_pause == HOUR
        assert verdicts(f, (KEYS.key1, slower)).probe_pause == 2 * HOUR
        assert replace(f, control=slower).probe_pause == 2 * HOUR
        assert replace(f, control=None).probe_pause == HOUR


class TestRetries:
    @pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (1, 10), (4, 80), (5, 120), (99, 120)])
    def test_the_wait_doubles_up_to_two_minutes(self, tries: int, seconds: int) -> None:
        action = actions.retry_later(running(Phase.VERIFY, rotation(tries=tries)), "x")
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + seconds * SECOND)
        assert operation(action).tries == tries + 1


class TestEnter:
    def test_a_phase_begins_with_fresh_counters(self) -> None:
        op = rotation(tries=3, successes=2, first_success=LONG_AGO)
        found = operation(actions.enter(running(Phase.VERIFY, op), Phase.PUBLISH, "x"))
        assert (found.phase_since, found.tries) == (NOW, 0)
        assert (found.successes, found.first_success) == (0, None)
        assert [entry.at for entry in found.audit] == [NOW]

    def test_a_block_is_noted(self) -> None:
        action = actions.block(running(Phase.VERIFY, rotation()), "code", "why", "remedy")
        assert action.record.blocked is not None
        assert (action.record.blocked.code, action.record.blocked.since) == ("code", NOW)
        assert [entry.at for entry in operation(action).audit] == [NOW]


class TestEnd:
    def end(self, ending: Ending = Ending.DONE, **more: Any) -> Any:
        held = {name(): Hold(NOW)}
        record = {"held": held, "epoch": 3, "history": (rotation(id="op-0"),)}
        f = running(Phase.PUBLISH, rotation(**more), **record)
        return lifecycle.end(f, "outcome", ending).record

    def test_the_operation_moves_to_the_history(self) -> None:
        record = self.end()
        assert (record.phase, record.operation, record.epoch) == (Phase.IDLE, None, 4)
        done = record.history[-1]
        assert [one.id for one in record.history] == ["op-0", "op-1"]
        assert (done.ended_at, done.ending, done.outcome) == (NOW, Ending.DONE, "outcome")
        assert done.audit[-1].at == NOW
        assert [notice.type for notice in record.outbox] == ["ended"]

    def test_its_holds_are_forgotten_if_the_rotation_is_done(self) -> None:
        assert not self.end().held
        assert self.end(Ending.CANCELLED).held
        assert self.end(purpose=Purpose.REPAIR).held

    def test_twenty_of_them_are_kept(self) -> None:
        history = tuple(rotation(id=f"old-{number}") for number in range(20))
        f = running(Phase.PUBLISH, rotation(), history=history)
        found = lifecycle.end(f, "x").record.history
        assert (len(found), found[0].id, found[-1].id) == (20, "old-1", "op-1")

    def test_what_was_overtaken_is_requested_again(self) -> None:
        op = rotation(requests=("m-1",), idempotency_keys=("k",), role="r", request_id="q")
        other = Request("m-2", RequestKind.MANUAL, "x", "y", NOW)
        f = running(Phase.VERIFY, op, requests=(other,))
        record = lifecycle.superseded(f, "why").record
        assert record.history[-1].ending is Ending.OVERTAKEN
        assert record.requests == (
            other,
            Request(
                "op-1",
                RequestKind.MANUAL,
                "due",
                "schedule",
                NOW - HOUR,
                idempotency_key="k",
                role="r",
                request_id="q",
            ),
        )
        scheduled = running(Phase.VERIFY, rotation())
        assert lifecycle.superseded(scheduled, "why").record.requests == ()

    def test_an_intent_without_an_outcome_leaves_a_quarantine(self) -> None:
        f = running(Phase.VERIFY, rotation(), intent=Intent("i", Slot.KEY2, "x", NOW))
        record = lifecycle.end(f, "x").record
        assert (record.intent, record.quarantine) == (None, {Slot.KEY2: NOW + 10 * MINUTE})


class TestBegin:
    def test_the_purpose_the_time_and_the_account_make_an_id(self) -> None:
        f = facts()
        ids = {
            lifecycle.operation_id(each, purpose)
            for each in (f, replace(f, now=NOW + SECOND))
            for purpose in (Purpose.ROTATE, Purpose.REPAIR)
        }
        assert len(ids) == 4
        assert lifecycle.operation_id(f, Purpose.ROTATE) in ids

    def test_an_operation_is_that_of_its_request(self) -> None:
        asked = Request(
            "m-1",
            RequestKind.MANUAL,
            "please",
            "bo",
            LONG_AGO,
            leaked=Leaked.KEY2,
            idempotency_key="k",
            role="r",
            request_id="q",
        )
        found = lifecycle.new_operation(facts(), Purpose.ROTATE, Slot.KEY2, "due", asked)
        assert (found.id, found.reason, found.requester, found.leaked) == (
            "m-1",
            "please",
            "bo",
            Leaked.KEY2,
        )
        assert (found.requests, found.idempotency_keys) == (("m-1",), ("k",))
        assert (found.role, found.request_id, found.asked_at) == ("r", "q", LONG_AGO)
        assert (found.started_at, found.phase_since) == (NOW, NOW)
        assert (found.overlap, found.successes_needed) == (26 * HOUR, 2)
        bare = lifecycle.new_operation(
            facts(), Purpose.ROTATE, Slot.KEY2, "due", replace(asked, idempotency_key=None)
        )
        assert bare.idempotency_keys == ()

    def test_without_one_it_is_that_of_the_schedule(self) -> None:
        found = lifecycle.new_operation(facts(), Purpose.ROTATE, Slot.KEY2, "due", None)
        assert (found.reason, found.requester, found.leaked) == ("due", "schedule", Leaked.NONE)
        assert (found.requests, found.role, found.asked_at) == ((), None, None)


class TestNotices:
    def test_a_repeated_one_replaces_the_first(self) -> None:
        f = running(Phase.VERIFY, rotation())
        once = notify(f.record, f, "failed", {"of": "x"})
        twice = notify(once, f, "failed", {"of": "x"})
        assert [n.id for n in twice.outbox] == ["op-1-failed-x"]
        other = notify(twice, f, "failed", {"of": "y"})
        assert [n.id for n in other.outbox] == ["op-1-failed-x", "op-1-failed-y"]
        assert (other.outbox[0].at, other.outbox[0].type) == (NOW, "failed")

    def test_without_an_operation_the_account_is_its_subject(self) -> None:
        f = facts(epoch=7)
        assert notify(f.record, f, "x", {}).outbox[0].id == f"{ACCOUNT.slug}-7-x"

    def test_the_last_twenty_wait(self) -> None:
        f = facts(outbox=tuple(Notification(str(n), "x", NOW, {}) for n in range(20)))
        found = notify(f.record, f, "y", {}).outbox
        assert (len(found), found[0].id, found[-1].type) == (20, "1", "y")

    def test_an_audit_record_has_the_seconds_that_it_took(self) -> None:
        done = rotation(ended_at=NOW, asked_at=NOW - DAY)
        assert audit_record(ACCOUNT, done)["seconds"] == "86400"
        assert audit_record(ACCOUNT, rotation(ended_at=NOW))["seconds"] == "3600"
        assert audit_record(ACCOUNT, rotation(started_at=NOW - 2 * HOUR))["seconds"] == "3600"
        assert "role" not in audit_record(ACCOUNT, done)

    def test_one_about_membership_has_one_id_within_a_minute(self) -> None:
        ids = [
            announcements.notice(ACCOUNT, "left", target("a").id, "why", NOW + late).id
            for late in (timedelta(), 59 * SECOND, MINUTE)
        ]
        assert ids[0] == ids[1] != ids[2]


def test_only_emergencies_that_have_begun_and_are_open_count() -> None:
    f: Facts = facts(regenerated=(NOW - DAY, NOW - DAY + SECOND))
    assert f.leaks == ()
    assert f.recent(f.record.regenerated) == (NOW - DAY + SECOND,)
    assert PublishedVersion("v", NOW).following(None).first == NOW
