"""Every leaked value is refused, or gone and can no longer be tried, before an emergency ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import proving
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain import legacy
from rotation.domain.account import Account
from rotation.domain.emergency import Emergency, Pin, Verdict
from rotation.domain.keys import Key, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Intent, Phase, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict

from .account import (
    ACCEPTED,
    ACCOUNT,
    INCONCLUSIVE,
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    REFUSED,
    changed,
    document,
    name,
    notices,
    operation,
    phase,
    responding,
    seen,
    target,
    verdicts,
    version,
)
from .account import emergency as asked

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OLDER = Key("e" * 32)
LENIENT = Policy(probe=ProbePolicy.ACCEPT)


def pin(value: Key = OLD, **more: Any) -> Pin:
    """Return a pinned value that is certainly gone."""
    members: dict[str, Any] = {"gone_at": NOW - MINUTE, "gone": True} | more
    return Pin(Slot.KEY1, value.fingerprint("pins"), **members)


def leaked(*pins: Pin, **more: Any) -> Emergency:
    return document(pins=pins or (pin(),), **more)


def proof(*found: Emergency, successes: int = 1, **op: Any) -> Facts:
    """Return an emergency that has regenerated the leaked key, one refusal before its end."""
    members = {"phase_since": NOW - MINUTE, "successes": successes} | op
    shown = target("a", KEYS.key2), target("b", KEYS.key2)
    old = version("a", LONG_AGO - HOUR, OLD)
    f = responding(Phase.PROVE, *shown, op=members, versions=(old,))
    f = verdicts(f, (OLDER, REFUSED))
    return replace(f, emergencies=found or (leaked(),))


def judged(f: Facts) -> tuple[list[str], list[Verdict]]:
    """Return the notifications and the verdicts of the emergencies."""
    action = proving.prove(f)
    return notices(action), [e.verdict for e in action.emergencies or ()]


REVOKED = (["revoked"], [Verdict.REFUSED])
NOT_PROVEN = (["notProven"], [Verdict.NOT_PROVEN])


class TestPutOff:
    """The proof of one regenerate waits for the regenerates of others."""

    LATER = NOW + 5 * MINUTE

    def batch(self, *pins: Pin, **more: Any) -> Emergency:
        """Return an emergency of a batch for which Key1 was regenerated."""
        members: dict[str, Any] = {"at": NOW, "intent": "i", "proof_at": self.LATER} | more
        return leaked(*(pins or (pin(KEYS.key1, gone_at=None, gone=False),)), **members)

    def until(
        self, *found: Emergency, intent: Any = (), at: Phase = Phase.REVOKE, **more: Any
    ) -> Any:
        given = Intent("i", Slot.KEY1, "former", NOW, answered=True) if intent == () else intent
        members = {name(secret): Member(LONG_AGO) for secret in ("a", "b")}
        shown = target("a", KEYS.key2), target("b", KEYS.key2)
        record = {"intent": given, "members": members, **more}
        f = responding(at, *shown, **record)
        return proving.put_off(f.record, found or (self.batch(),), NOW)

    def test_a_confirmed_regenerate_waits_for_its_turn(self) -> None:
        assert self.until() == self.LATER

    def test_of_several_the_first_counts(self) -> None:
        sooner = self.batch(proof_at=NOW + MINUTE)
        assert self.until(self.batch(), sooner) == NOW + MINUTE

    def test_one_that_is_over_does_not_count(self) -> None:
        assert self.until(self.batch(), leaked(verdict=Verdict.REFUSED)) == self.LATER

    def test_it_never_waits_longer_than_20_minutes_after_the_report(self) -> None:
        far = self.batch(proof_at=NOW + 2 * HOUR)
        assert self.until(far) == NOW + 20 * MINUTE
        assert self.until(replace(far, at=NOW - 20 * MINUTE)) is None

    @pytest.mark.parametrize(
        "more",
        [
            {"proof_at": NOW},
            {"proof_at": None},
            {"verdict": Verdict.REFUSED},
            {"intent": None},
            {"intent": "an earlier one"},
        ],
    )
    def test_one_whose_turn_has_come_or_that_the_regenerate_was_not_for_does_not_wait(
        self, more: Any
    ) -> None:
        assert self.until(self.batch(**more)) is None

    @pytest.mark.parametrize("more", [{"proof_at": None}, {"intent": None}])
    def test_all_wait_or_none(self, more: Any) -> None:
        assert self.until(self.batch(), self.batch(id="e-2", **more)) is None

    def test_a_value_in_the_other_slot_must_be_gone(self) -> None:
        key1 = pin(KEYS.key1, gone_at=None, gone=False)
        other = Pin(Slot.KEY2, KEYS.key2.fingerprint("pins"))
        assert self.until(self.batch(key1, other)) is None
        assert self.until(self.batch(key1, replace(other, gone_at=NOW))) == self.LATER

    def test_a_withdrawn_secret_gets_no_successor(self) -> None:
        gone = {name("a"): Member(LONG_AGO), name("b"): Member(LONG_AGO, withdrawn=True)}
        shown = {name("a"): seen(KEYS.key2), name("b"): seen(KEYS.key1)}
        assert self.until(members=gone, seen=shown) == self.LATER

    @pytest.mark.parametrize(
        "more",
        [
            {"intent": None},
            {"intent": Intent("i", Slot.KEY1, "former", NOW)},
            {"intent": Intent("i", Slot.KEY2, "former", NOW, answered=True)},
            {"at": Phase.REGENERATE},
            {"at": Phase.PROVE},
            {"requests": (asked(),)},
            {"op": {"purpose": Purpose.ROTATE}},
            {"seen": {name("a"): seen(KEYS.key2)}},
            {"seen": {name("a"): seen(KEYS.key2), name("b"): seen(KEYS.key1)}},
        ],
    )
    def test_nothing_else_waits(self, more: Any) -> None:
        assert self.until(**more) is None


class TestRefused:
    def test_enough_refusals_end_it(self) -> None:
        action = proving.prove(proof())
        assert judged(proof()) == REVOKED
        assert phase(action) is Phase.CLEAN
        assert (operation(action).proof, operation(action).proven) == (legacy.REFUSED, True)
        data = action.record.outbox[0].data
        assert (data["slot"], data["proof"]) == ("Key1", legacy.REFUSED)
        closed = (action.emergencies or ())[0]
        assert (closed.closed_at, closed.pins[0].refused_at) == (NOW, NOW)

    def test_fewer_are_counted(self) -> None:
        action = proving.prove(proof(successes=0))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 30 * SECOND)
        assert operation(action).successes == 1
        assert action.emergencies is None

    def test_a_policy_may_ask_for_one(self) -> None:
        assert judged(replace(proof(successes=0), policy=Policy(probe_successes=1))) == REVOKED

    def test_a_value_that_is_still_listed_is_read_again(self) -> None:
        f = proof(leaked(pin(), pin(KEYS.key1, gone_at=None, gone=False)))
        action = proving.prove(f)
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 5 * SECOND)
        assert action.remedy

    def test_one_that_was_refused_already_is_not_tried_again(self) -> None:
        done = pin(OLDER, refused_at=NOW - HOUR)
        f = proof(leaked(pin(), done))
        assert judged(verdicts(f, (OLDER, ACCEPTED))) == REVOKED

    def test_a_closed_one_is_not_looked_at(self) -> None:
        closed = leaked(pin(OLDER, gone_at=None), id="e-1", verdict=Verdict.REFUSED)
        other = leaked(id="e-2")
        found = judged(proof(closed, other))
        assert found == (["revoked"], [Verdict.REFUSED, Verdict.REFUSED])
        action = proving.prove(proof(closed, other))
        assert (action.emergencies or ())[0] == closed

    def test_one_without_a_document_is_proven_like_a_rotation(self) -> None:
        began = NOW - MINUTE
        f = replace(proof(retired=OLD.fingerprint("salt"), first_success=began), emergencies=())
        assert notices(proving.prove(f)) == ["revoked"]
        assert not notices(proving.prove(verdicts(f, (OLD, ACCEPTED))))


class TestValues:
    def test_the_versions_are_read_for_a_value_that_nobody_remembers(self) -> None:
        action = proving.prove(replace(proof(), versions=None))
        assert action.kind is ActionKind.ASK
        assert action.missing.versions
        known = replace(proof(), versions=None, cached_keys=(OLD,))
        assert judged(known) == REVOKED

    def test_a_disabled_version_holds_no_value(self) -> None:
        f = proof()
        silent = version("a", LONG_AGO, None)
        assert judged(replace(f, versions=(silent, *(f.versions or ())))) == REVOKED

    @pytest.mark.parametrize("missing", [OLD, KEYS.key1, KEYS.key2])
    def test_the_value_and_both_current_keys_are_probed(self, missing: Key) -> None:
        f = proof()
        known = {key: verdict for key, verdict in f.verdicts.items() if key != missing}
        action = proving.prove(replace(f, verdicts=known))
        assert action.kind is ActionKind.ASK
        assert action.missing.probe == (OLD, KEYS.key1, KEYS.key2)

    def test_a_leaked_key_does_not_show_that_a_probe_works(self) -> None:
        both = leaked(pin(), pin(KEYS.key1, refused_at=NOW))
        f = verdicts(proof(both), (KEYS.key2, INCONCLUSIVE))
        assert proving.prove(f).kind is ActionKind.WAIT
        assert judged(verdicts(f, (KEYS.key2, ACCEPTED))) == REVOKED

    def test_nothing_is_probed_if_no_value_is_known(self) -> None:
        f = replace(proof(), versions=(), verdicts={})
        assert judged(f) == NOT_PROVEN


class TestNotRefused:
    def tried(self, answer: ProbeVerdict = ACCEPTED, ago: timedelta = MINUTE, **op: Any) -> Facts:
        return verdicts(proof(phase_since=NOW - ago, **op), (OLD, answer))

    @pytest.mark.parametrize(
        ("ago", "again"), [(10 * MINUTE - SECOND, 5 * SECOND), (10 * MINUTE, MINUTE)]
    )
    def test_it_is_tried_again_often_at_first(self, ago: timedelta, again: timedelta) -> None:
        action = proving.prove(self.tried(ago=ago))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + again)
        assert operation(action).successes == 0
        assert action.remedy

    def test_it_alerts_once_after_five_minutes(self) -> None:
        assert not notices(proving.prove(self.tried(ago=5 * MINUTE)))
        late = proving.prove(self.tried(ago=5 * MINUTE + SECOND))
        assert notices(late) == ["failed"]
        assert operation(late).alarmed
        again = self.tried(ago=5 * MINUTE + SECOND, alarmed=True)
        assert not notices(proving.prove(again))

    def test_the_alert_and_the_reason_name_the_answer(self) -> None:
        answer = ProbeVerdict(ProbeResult.ACCEPTED, "HTTP 200")
        action = proving.prove(self.tried(answer, HOUR))
        assert "HTTP 200" in action.reason
        assert "HTTP 200" in action.record.outbox[0].data["error"]

    def test_each_value_must_be_refused(self) -> None:
        f = proof(leaked(pin(), pin(OLDER)))
        f = replace(f, cached_keys=(OLDER,))
        assert judged(f) == REVOKED
        assert not judged(verdicts(f, (OLDER, ACCEPTED)))[0]

    def test_a_refusal_without_an_accepted_key_proves_nothing(self) -> None:
        f = verdicts(proof(), (KEYS.key1, REFUSED), (KEYS.key2, INCONCLUSIVE))
        action = proving.prove(f)
        assert action.kind is ActionKind.WAIT
        assert operation(action).successes == 0

    def test_any_current_key_will_do(self) -> None:
        f = verdicts(proof(), (KEYS.key1, REFUSED))
        assert judged(f) == REVOKED
        f = verdicts(proof(), (KEYS.key2, REFUSED))
        assert judged(f) == REVOKED


class TestNotTried:
    def unclear(self, ago: timedelta, policy: Policy | None = None, **answers: Any) -> Facts:
        f = replace(proof(phase_since=NOW - ago), policy=policy or Policy())
        return verdicts(f, (OLD, answers.get("old", INCONCLUSIVE)))

    def test_a_value_that_no_probe_can_tell_is_tried_for_an_hour(self) -> None:
        assert phase(proving.prove(self.unclear(HOUR - SECOND))) is Phase.PROVE
        assert judged(self.unclear(HOUR)) == NOT_PROVEN

    def test_or_not_at_all_if_the_policy_does_without_a_proof(self) -> None:
        assert judged(self.unclear(MINUTE, LENIENT)) == NOT_PROVEN

    @pytest.mark.parametrize("policy", [Policy(), LENIENT])
    def test_one_that_works_never_ends_it(self, policy: Policy) -> None:
        assert phase(proving.prove(self.unclear(2 * HOUR, policy, old=ACCEPTED))) is Phase.PROVE

    def test_a_refusal_that_proves_nothing_is_not_tried_for_ever(self) -> None:
        f = self.unclear(HOUR, old=REFUSED)
        f = verdicts(f, (KEYS.key1, INCONCLUSIVE), (KEYS.key2, INCONCLUSIVE))
        assert judged(f) == NOT_PROVEN

    def test_it_does_not_end_as_proven(self) -> None:
        action = proving.prove(self.unclear(HOUR))
        assert phase(action) is Phase.CLEAN
        assert (operation(action).proof or "").startswith(legacy.NOT_PROVEN)
        assert not operation(action).proven
        data = action.record.outbox[0].data
        assert data["slot"] == "Key1"
        assert data["proof"].startswith(legacy.NOT_PROVEN)

    def test_the_weakest_verdict_is_that_of_the_operation(self) -> None:
        lost = leaked(pin(OLDER), id="e-2")
        f = proof(leaked(), lost)
        assert judged(f) == (["notProven"], [Verdict.REFUSED, Verdict.NOT_PROVEN])

    def test_one_that_may_be_back_is_read_once_more(self) -> None:
        lost = leaked(pin(OLDER, gone=False, gone_at=NOW - MINUTE))
        action = proving.prove(proof(lost))
        assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + 9 * MINUTE)
        assert (action.emergencies or ())[0].is_open
        assert action.remedy

    def test_the_last_of_several_decides_when(self) -> None:
        lost = leaked(
            pin(OLDER, gone=False, gone_at=NOW - 3 * MINUTE),
            pin(Key("f" * 32), gone=False, gone_at=NOW - MINUTE),
        )
        other = leaked(pin(OLD, gone_at=NOW), id="e-2")
        assert proving.prove(proof(lost, other)).not_before == NOW + 9 * MINUTE

    def test_it_is_never_a_moment_that_is_over(self) -> None:
        lost = leaked(pin(OLDER, gone=False, gone_at=NOW - HOUR))
        assert proving.prove(proof(lost)).not_before == NOW + 5 * SECOND

    def test_without_a_value_to_refuse_nothing_is_counted(self) -> None:
        lost = leaked(pin(OLDER))
        assert judged(proof(lost, successes=0)) == NOT_PROVEN


class TestClean:
    def cleaning(self, *values: Key, kind: str = "OpenAI", **record: Any) -> Facts:
        found = tuple(
            version("a", LONG_AGO - HOUR, value, f"v-{number}")
            for number, value in enumerate(values)
        )
        shown = target("a", KEYS.key2), target("b", KEYS.key2)
        op = {"proof": legacy.REFUSED}
        f = responding(Phase.CLEAN, *shown, op=op, versions=found, **record)
        return replace(f, account=Account(ACCOUNT, kind, "https://e"))

    def cleaned(self, f: Facts) -> Action:
        return proving.clean(f)

    def test_the_versions_are_read_first(self) -> None:
        action = proving.clean(replace(self.cleaning(), versions=None))
        assert (action.kind, action.missing.versions) == (ActionKind.ASK, True)

    @pytest.mark.parametrize(("failures", "kind"), [(2, "disable"), (3, "move")])
    def test_old_versions_are_disabled_unless_that_fails(self, failures: int, kind: str) -> None:
        action = proving.clean(self.cleaning(OLD, KEYS.key1, failures=failures))
        assert action.kind == kind
        assert action.versions == (((target("a").id, "v-0"),) if failures < 3 else ())

    def test_then_it_ends_with_the_proof(self) -> None:
        action = proving.clean(self.cleaning())
        assert phase(action) is Phase.IDLE
        assert action.record.history[-1].outcome == legacy.REFUSED
        without = proving.clean(changed(self.cleaning(), proof=None))
        assert without.record.history[-1].outcome == "clean"

    @pytest.mark.parametrize(
        ("kind", "tokens"), [("SpeechServices", True), ("aiservices", True), ("OpenAI", False)]
    )
    def test_kinds_that_issue_tokens_say_how_long_those_live(self, kind: str, tokens: bool) -> None:
        action = proving.clean(self.cleaning(kind=kind))
        assert ("10 minutes" in action.reason) is tokens
