"""REVOKE, PROVE and CLEAN: what each step checks again, and what it goes on to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import revocation
from rotation.decisions.actions import ActionKind
from rotation.decisions.facts import Facts
from rotation.domain import legacy
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Intent, Phase
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.targets import Version

from .account import (
    ACCEPTED,
    INCONCLUSIVE,
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    REFUSED,
    changed,
    notices,
    operation,
    phase,
    rotation,
    running,
    target,
    verdicts,
    version,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY1, KEY2 = (key.fingerprint("salt") for key in (KEYS.key1, KEYS.key2))
LENIENT = Policy(probe=ProbePolicy.ACCEPT)


def shown(created: Any = LONG_AGO) -> tuple[Any, Any]:
    return target("a", KEYS.key2, created=created), target("b", KEYS.key2, created=created)


def revoking(created: Any = LONG_AGO, versions: Any = (), **more: Any) -> Facts:
    """Return a rotation whose overlap is over: Key2 is published, Key1 is to be regenerated."""
    return running(Phase.REVOKE, rotation(**more), *shown(created), versions=versions)


def proving(*versions: Version, **more: Any) -> Facts:
    """Return a rotation that has regenerated Key1, which was ``OLD``."""
    members = {"retired": OLD.fingerprint("salt"), "phase_since": NOW - MINUTE} | more
    if members.get("successes"):
        members.setdefault("first_success", NOW - MINUTE)
    found = versions or (version("a", LONG_AGO - DAY, OLD),)
    return running(Phase.PROVE, rotation(**members), *shown(), versions=found)


class TestRevoke:
    def test_the_former_key_is_regenerated(self) -> None:
        action = revocation.revoke(revoking())
        assert (action.kind, action.slot) == (ActionKind.SEND, Slot.KEY1)

    def test_its_new_value_leads_to_the_proof(self) -> None:
        f = revoking(retired=OLD.fingerprint("salt"))
        intent = Intent("i", Slot.KEY1, OLD.fingerprint("salt"), NOW - MINUTE, answered=True)
        f = replace(f, record=replace(f.record, intent=intent))
        assert phase(revocation.revoke(f)) is Phase.PROVE

    def test_a_published_key_that_changed_is_verified_first(self) -> None:
        action = revocation.revoke(revoking(value="another"))
        assert phase(action) is Phase.VERIFY
        assert operation(action).successes_needed == 1

    def test_with_nothing_to_revoke_it_ends(self) -> None:
        action = revocation.revoke(revoking(revoke=None))
        assert phase(action) is Phase.IDLE
        assert action.record.history[-1].outcome == "published"

    def test_an_overlap_that_is_not_over_starts_again(self) -> None:
        early = revocation.revoke(revoking(created=NOW - 26 * HOUR + SECOND))
        assert phase(early) is Phase.OVERLAP
        assert revocation.revoke(revoking(created=NOW - 26 * HOUR)).kind is ActionKind.SEND

    def test_after_a_regenerate_was_sent_the_overlap_does_not_count(self) -> None:
        f = revoking(created=NOW)
        intent = Intent("i", Slot.KEY1, "former", NOW, answered=True)
        f = replace(f, record=replace(f.record, intent=intent))
        assert phase(revocation.revoke(f)) is Phase.PROVE


class TestUnknownKeyInTheSlot:
    """The slot does not hold the value that the record calls the old one."""

    def test_the_versions_decide(self) -> None:
        action = revocation.revoke(replace(revoking(retired="another"), versions=None))
        assert action.kind is ActionKind.ASK
        assert action.missing.versions

    def test_a_key_that_was_published_gets_an_overlap_and_is_then_revoked(self) -> None:
        f = revoking(retired="another", versions=(version("a", LONG_AGO - DAY, KEYS.key1),))
        action = revocation.revoke(f)
        assert phase(action) is Phase.OVERLAP
        assert operation(action).retired == KEY1

    def test_otherwise_it_was_regenerated_and_the_record_names_the_key_to_prove(self) -> None:
        """The record wins over the versions."""
        f = revoking(retired="another", versions=(version("a", LONG_AGO - DAY, OLD),))
        action = revocation.revoke(f)
        assert phase(action) is Phase.PROVE
        assert operation(action).retired == "another"

    def test_without_one_in_the_record_it_is_the_one_that_was_published_last(self) -> None:
        f = revoking(retired=None, versions=(version("a", LONG_AGO - DAY, OLD),))
        action = revocation.revoke(f)
        assert phase(action) is Phase.PROVE
        assert operation(action).retired == OLD.fingerprint("salt")

    def test_if_nobody_knows_it_is_regenerated_and_never_called_proven(self) -> None:
        action = revocation.revoke(revoking(retired=None))
        assert phase(action) is Phase.OVERLAP
        assert operation(action).retired == KEY1
        assert (operation(action).proof or "").startswith(legacy.NOT_PROVEN)


class TestProof:
    def test_each_refusal_is_counted(self) -> None:
        f = replace(
            proving(successes=1, first_success=NOW - MINUTE), policy=Policy(probe_successes=3)
        )
        action = revocation.prove(f)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 15 * SECOND)
        assert operation(action).successes == 2
        assert operation(action).first_success == NOW - MINUTE
        assert operation(revocation.prove(proving())).first_success == NOW

    def test_enough_of_them_are_a_proof(self) -> None:
        early = proving(successes=1, first_success=NOW - 29 * SECOND)
        assert revocation.prove(early).kind is ActionKind.WAIT
        action = revocation.prove(proving(successes=1, first_success=NOW - 30 * SECOND))
        assert phase(action) is Phase.CLEAN
        found = operation(action)
        assert (found.proven, found.proof) == (True, legacy.REFUSED)
        notice = action.record.outbox[-1]
        assert (notice.type, notice.data["slot"], notice.data["proof"]) == (
            "revoked",
            "Key1",
            legacy.REFUSED,
        )

    def test_a_published_key_that_changed_is_verified_first(self) -> None:
        assert phase(revocation.prove(proving(value="another"))) is Phase.VERIFY

    def test_the_versions_are_read_for_the_old_key(self) -> None:
        action = revocation.prove(replace(proving(), versions=None))
        assert action.missing.versions

    def test_unless_this_process_remembers_it_and_then_only_in_the_end(self) -> None:
        f = replace(proving(), versions=None, cached_keys=(OLD,))
        assert revocation.prove(f).kind is ActionKind.WAIT
        last = revocation.prove(changed(f, successes=1, first_success=NOW - MINUTE))
        assert last.kind is ActionKind.ASK
        assert last.missing.versions

    @pytest.mark.parametrize("known", [OLD, KEYS.key2])
    def test_both_keys_are_probed(self, known: Key) -> None:
        f = proving()
        action = revocation.prove(replace(f, verdicts={known: f.verdicts[known]}))
        assert action.missing.probe == (OLD, KEYS.key2)

    @pytest.mark.parametrize("retired", [KEY1, KEY2])
    def test_a_key_that_is_still_listed_is_regenerated_after_ten_minutes(
        self, retired: str
    ) -> None:
        f = proving(retired=retired, phase_since=NOW - 10 * MINUTE + SECOND)
        assert revocation.prove(f).kind is ActionKind.WAIT
        later = changed(f, phase_since=NOW - 10 * MINUTE)
        assert phase(revocation.prove(later)) is Phase.REVOKE

    def test_without_a_known_slot_it_is_the_spare(self) -> None:
        action = revocation.prove(proving(successes=2, revoke=None))
        assert action.record.outbox[-1].data["slot"] == "Key1"

    def test_a_slot_that_holds_a_published_key_is_regenerated_first(self) -> None:
        former = version("b", LONG_AGO - DAY, KEYS.key1)
        f = proving(version("a", LONG_AGO - DAY, OLD), former, successes=2)
        action = revocation.prove(f)
        assert phase(action) is Phase.REVOKE
        assert not notices(action)

    def test_a_key_that_was_only_guessed_is_not_proven(self) -> None:
        action = revocation.prove(proving(successes=2, proof="regenerated, not proven: x"))
        assert notices(action) == ["notProven"]
        assert not operation(action).proven


class TestWithoutTheOldKey:
    def lost(self, ago: timedelta, *versions: Version, **more: Any) -> Facts:
        found = versions or (version("a", LONG_AGO - DAY, None),)
        return proving(*found, phase_since=NOW - ago, **more)

    def test_the_slot_is_read_once_more_after_ten_minutes(self) -> None:
        action = revocation.prove(self.lost(9 * MINUTE))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + MINUTE)

    def test_then_it_ends_as_not_proven(self) -> None:
        action = revocation.prove(self.lost(10 * MINUTE, proven=True))
        assert phase(action) is Phase.CLEAN
        assert notices(action) == ["notProven"]
        assert (operation(action).proof or "").startswith(legacy.NOT_PROVEN)
        assert not operation(action).proven

    def test_unless_the_slot_holds_a_published_key(self) -> None:
        f = self.lost(10 * MINUTE, version("a", LONG_AGO - DAY, KEYS.key1))
        assert phase(revocation.prove(f)) is Phase.REVOKE


class TestNotRefused:
    def tried(self, answer: ProbeVerdict, ago: timedelta = MINUTE, **more: Any) -> Facts:
        f = proving(phase_since=NOW - ago, successes=2, first_success=NOW - MINUTE, **more)
        return verdicts(f, (OLD, answer))

    def test_the_count_starts_again(self) -> None:
        action = revocation.prove(self.tried(ACCEPTED))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert (operation(action).successes, operation(action).first_success) == (0, None)
        assert operation(action).tries == 1

    def test_it_alerts_once_after_the_policys_patience(self) -> None:
        assert not notices(revocation.prove(self.tried(ACCEPTED, HOUR)))
        late = revocation.prove(self.tried(ACCEPTED, HOUR + SECOND))
        assert notices(late) == ["failed"]
        assert operation(late).alarmed
        assert (operation(late).successes, operation(late).first_success) == (0, None)
        again = self.tried(ACCEPTED, HOUR + SECOND, alarmed=True)
        assert not notices(revocation.prove(again))

    def test_the_alert_says_why(self) -> None:
        answer = ProbeVerdict(ProbeResult.ACCEPTED, "HTTP 200")
        notice = revocation.prove(self.tried(answer, 2 * HOUR)).record.outbox[-1]
        assert "HTTP 200" in notice.data["error"]

    def test_a_refusal_that_proves_nothing_names_the_answer_for_the_current_key(self) -> None:
        answer = ProbeVerdict(ProbeResult.INCONCLUSIVE, "HTTP 500")
        f = verdicts(proving(successes=2), (KEYS.key2, answer), (KEYS.key1, answer))
        assert "HTTP 500" in revocation.prove(f).reason

    def test_any_current_key_may_show_that_a_refusal_means_something(self) -> None:
        f = verdicts(proving(successes=2), (KEYS.key2, INCONCLUSIVE))
        assert notices(revocation.prove(f)) == ["revoked"]

    @pytest.mark.parametrize(
        ("policy", "answer", "ago", "over"),
        [
            (LENIENT, INCONCLUSIVE, 10 * MINUTE, True),
            (LENIENT, INCONCLUSIVE, 10 * MINUTE - SECOND, False),
            (LENIENT, ACCEPTED, 10 * MINUTE, False),
            (Policy(), INCONCLUSIVE, 10 * MINUTE, False),
        ],
    )
    def test_a_policy_may_do_without_an_answer_but_not_with_a_key_that_works(
        self, policy: Policy, answer: ProbeVerdict, ago: timedelta, over: bool
    ) -> None:
        action = revocation.prove(replace(self.tried(answer, ago), policy=policy))
        assert notices(action) == (["notProven"] if over else [])

    def test_until_then_it_is_tried_again_soon(self) -> None:
        f = replace(self.tried(INCONCLUSIVE, 9 * MINUTE), policy=LENIENT)
        assert revocation.prove(f).not_before == NOW + 5 * SECOND

    def test_it_waits_for_the_pause_that_the_data_plane_asks_for(self) -> None:
        slow = ProbeVerdict(ProbeResult.INCONCLUSIVE, "429", HOUR)
        assert revocation.prove(self.tried(slow)).not_before == NOW + HOUR


def test_a_single_refusal_may_be_enough() -> None:
    f = replace(proving(), policy=Policy(probe_successes=1))
    assert notices(revocation.prove(f)) == ["revoked"]


class TestClean:
    def cleaning(self, *versions: Version, **more: Any) -> Facts:
        return running(Phase.CLEAN, rotation(**more), *shown(), versions=versions)

    def test_the_versions_are_read_first(self) -> None:
        assert revocation.clean(replace(self.cleaning(), versions=None)).missing.versions

    @pytest.mark.parametrize(
        ("value", "disabled"),
        [
            (OLD, True),
            (KEYS.key1, False),
            (KEYS.key2, False),
            (None, False),
            (Key("a password"), False),
        ],
    )
    def test_only_versions_with_a_former_key_are_disabled(self, value: Key, disabled: bool) -> None:
        action = revocation.clean(self.cleaning(version("a", LONG_AGO, value)))
        assert (action.kind is ActionKind.DISABLE) is disabled
        assert action.versions == (((target("a").id, "v0"),) if disabled else ())

    @pytest.mark.parametrize("value", [KEYS.key1, KEYS.key2])
    def test_a_current_key_is_not_a_former_one_whether_a_secret_shows_it_or_not(
        self, value: Key
    ) -> None:
        f = running(
            Phase.CLEAN, rotation(), target("c", None), versions=(version("a", LONG_AGO, value),)
        )
        assert revocation.clean(f).kind is ActionKind.MOVE

    @pytest.mark.parametrize("where", ["targets", "left_behind", "strays"])
    def test_never_the_latest_version_nor_the_value_that_it_shows(self, where: str) -> None:
        latest = target("c", OLD)
        versions = (Version(latest.id, "v1", LONG_AGO, OLD), version("c", LONG_AGO, OLD))
        f = self.cleaning(*versions)
        f = replace(f, **{where: (*getattr(f, where), latest)})
        assert revocation.clean(f).kind is ActionKind.MOVE

    def test_nor_the_latest_of_a_secret_that_was_disabled(self) -> None:
        latest = target("c", None)
        f = self.cleaning(Version(latest.id, "v1", LONG_AGO, OLD))
        f = replace(f, targets=(*f.targets, latest))
        assert revocation.clean(f).kind is ActionKind.MOVE

    @pytest.mark.parametrize("proof", [None, legacy.REFUSED])
    def test_then_the_operation_ends_with_what_was_proven(self, proof: str | None) -> None:
        action = revocation.clean(self.cleaning(proof=proof))
        assert phase(action) is Phase.IDLE
        assert action.record.history[-1].outcome == (proof or "clean")


def test_a_refused_key_counts_even_if_the_former_one_does_not() -> None:
    assert notices(revocation.prove(verdicts(proving(successes=2), (KEYS.key1, REFUSED)))) == [
        "revoked"
    ]
