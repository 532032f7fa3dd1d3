"""Only a call that refuses the old key and accepts a current one counts as a proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.account import Account
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Operation, Phase, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Record
from rotation.domain.targets import Enrolment, Target, Version

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "n")
OLD, LIVE, SPARE = (Key(letter * 32) for letter in "abc")
SALT = "salt"
SECRET = TargetId("https://kv", "secret")
ANY = list(ProbeResult)


def proving(tried: ProbeResult, live: ProbeResult, control: ProbeResult) -> Facts:
    """One probe short of the proof that Key1, now ``SPARE``, was ``OLD`` and is refused."""
    operation = Operation(
        id="op",
        purpose=Purpose.ROTATE,
        reason="r",
        requester="q",
        started_at=NOW - timedelta(days=2),
        phase_since=NOW - timedelta(minutes=1),
        candidate=Slot.KEY2,
        overlap=timedelta(hours=26),
        successes_needed=3,
        revoke=Slot.KEY1,
        value=LIVE.fingerprint(SALT),
        retired=OLD.fingerprint(SALT),
        successes=2,
        first_success=NOW - timedelta(seconds=30),
    )
    created = NOW - timedelta(days=2)
    target = Target(SECRET, "v2", LIVE, created, None, None, {}, Enrolment(ACCOUNT))
    return Facts(
        now=NOW,
        policy=Policy(),
        record=Record(ACCOUNT, SALT, phase=Phase.PROVE, operation=operation),
        account=Account(ACCOUNT, "OpenAI", "https://e"),
        keys=Keys(SPARE, LIVE),
        targets=(target,),
        versions=(
            Version(SECRET, "v1", created - timedelta(days=90), OLD),
            Version(SECRET, "v2", created, LIVE),
        ),
        verdicts={OLD: ProbeVerdict(tried), LIVE: ProbeVerdict(live)},
        control=ProbeVerdict(control),
    )


def sent(f: Facts) -> list[str]:
    return [notice.type for notice in decide(f).record.outbox]


@pytest.mark.parametrize("control", ANY)
@pytest.mark.parametrize("live", ANY)
@pytest.mark.parametrize("tried", ANY)
def test_revoked_needs_a_refused_old_key_an_accepted_one_and_a_refused_random_one(
    tried: ProbeResult, live: ProbeResult, control: ProbeResult
) -> None:
    refused = ProbeResult.REFUSED
    accepted = live in (ProbeResult.ACCEPTED, ProbeResult.ANSWERED)
    proven = tried is refused and accepted and control is refused
    assert sent(proving(tried, live, control)) == (["revoked"] if proven else [])


@pytest.mark.parametrize("policy", list(ProbePolicy))
def test_without_an_answer_the_ending_is_never_revoked(policy: ProbePolicy) -> None:
    unknown = ProbeResult.INCONCLUSIVE
    f = replace(proving(unknown, unknown, unknown), policy=Policy(probe=policy))
    assert sent(f) == [], "the slot is read again after ten minutes"
    later = replace(f, now=NOW + timedelta(minutes=10))
    assert sent(later) == (["notProven"] if policy is ProbePolicy.ACCEPT else [])


def test_a_slot_that_holds_a_published_key_is_regenerated_in_spite_of_the_record() -> None:
    f = proving(ProbeResult.REFUSED, ProbeResult.ACCEPTED, ProbeResult.REFUSED)
    restored = Version(SECRET, "v0", NOW - timedelta(days=5), SPARE)
    action = decide(replace(f, versions=(*(f.versions or ()), restored)))
    assert action.kind is ActionKind.MOVE
    assert action.record.phase is Phase.REVOKE


def restored(*versions: Version) -> Facts:
    """Return an account whose record has another salt, so that it does not know the old key."""
    f = proving(ProbeResult.REFUSED, ProbeResult.ACCEPTED, ProbeResult.REFUSED)
    operation = replace(f.operation, retired=None, successes=0)
    live = Version(SECRET, "v2", NOW - timedelta(days=2), LIVE)
    record = replace(f.record, phase=Phase.REVOKE, operation=operation)
    return replace(f, record=record, versions=(*versions, live))


def test_without_the_salt_the_version_before_the_present_one_tells_the_old_key() -> None:
    action = decide(restored(Version(SECRET, "v1", NOW - timedelta(days=90), OLD)))
    assert action.record.phase is Phase.PROVE
    assert action.record.operation is not None
    assert action.record.operation.retired == OLD.fingerprint(SALT)


@pytest.mark.parametrize("older", [OLD, None])
def test_if_that_version_cannot_be_read_the_ending_is_not_proven(older: Key | None) -> None:
    """An older version must not stand in for it: its key was refused long ago."""
    f = restored(
        Version(SECRET, "v0", NOW - timedelta(days=180), older),
        Version(SECRET, "v1", NOW - timedelta(days=90), None),
    )
    action = decide(f)
    assert action.record.phase is Phase.OVERLAP, "it is regenerated"
    assert action.record.operation is not None
    assert action.record.operation.retired == SPARE.fingerprint(SALT)
    done = replace(
        action.record.operation,
        retired=OLD.fingerprint(SALT),
        phase_since=NOW - timedelta(hours=1),
        successes=2,
        first_success=NOW - timedelta(minutes=1),
    )
    record = replace(action.record, phase=Phase.PROVE, operation=done)
    versions = (Version(SECRET, "v0", NOW - timedelta(days=180), OLD),)
    assert sent(replace(f, record=record, versions=versions)) == ["notProven"]


def test_the_wait_that_the_data_plane_asks_for_is_obeyed() -> None:
    f = proving(ProbeResult.INCONCLUSIVE, ProbeResult.ACCEPTED, ProbeResult.REFUSED)
    throttled = ProbeVerdict(ProbeResult.INCONCLUSIVE, "429", timedelta(minutes=40))
    action = decide(replace(f, verdicts={**f.verdicts, OLD: throttled}))
    assert action.not_before == NOW + timedelta(minutes=40)
    assert "429" in action.reason
