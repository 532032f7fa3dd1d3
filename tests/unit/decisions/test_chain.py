"""No facts lead to an irreversible action whose guard does not hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rotation.decisions import leaks
from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain import codec
from rotation.domain.account import Account
from rotation.domain.evidence import Readers
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Intent, Operation, Phase, Purpose
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import ObservedVersion, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.domain.targets import Enrolment, Target, Version

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "n")
VALUES = [Key(f"value-{number}") for number in range(4)]
SALT = "salt"
MANY = settings(max_examples=5 * settings().max_examples, deadline=None)

T = TypeVar("T")
values = st.sampled_from(VALUES)
moments = st.integers(-40 * 86400, 3600).map(lambda s: NOW + timedelta(seconds=s))
past = st.integers(2, 40).map(lambda days: NOW - timedelta(days=days))
durations = st.sampled_from([timedelta(), timedelta(minutes=5), timedelta(hours=26)])
slots = st.sampled_from(list(Slot))
answers = st.sampled_from(list(ProbeResult)).map(ProbeVerdict)


def mostly(common: st.SearchStrategy[T], rare: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Nine of ten times the first: so that all checks are passed often enough to matter."""
    return st.integers(0, 9).flatmap(lambda n: rare if n == 9 else common)


@st.composite
def targets(draw: st.DrawFn, number: int, usual: Key) -> Target:
    enrolment = Enrolment(
        ACCOUNT,
        validity=timedelta(days=draw(mostly(st.just(90), st.sampled_from([20, 31])))),
        claimed=draw(st.none() | slots),
        paused=draw(mostly(st.just(False), st.booleans())),
        rotation=draw(st.none() | st.just("op")),
    )
    return Target(
        id=TargetId("https://kv", f"secret-{number}"),
        version=draw(st.sampled_from(["v1", "v2"])),
        value=draw(mostly(st.just(usual), st.none() | values)),
        created=draw(mostly(past, moments)),
        expires=draw(st.none() | moments.map(lambda m: m + timedelta(days=45))),
        content_type=None,
        tags={},
        enrolment=enrolment,
    )


@st.composite
def operations(draw: st.DrawFn, keys: Keys) -> Operation:
    candidate = draw(slots)
    proven = st.just(keys[candidate].fingerprint(SALT))
    retired = st.just(keys[candidate.other].fingerprint(SALT))
    other = st.none() | values.map(lambda v: v.fingerprint(SALT))
    return Operation(
        id="op-1",
        purpose=draw(st.sampled_from(list(Purpose))),
        reason="r",
        requester="q",
        started_at=draw(moments),
        phase_since=draw(moments),
        candidate=candidate,
        overlap=draw(durations),
        successes_needed=draw(st.integers(1, 3)),
        leaked=draw(st.sampled_from(list(Leaked))),
        requests=draw(st.sampled_from([(), ("w-0",)])),
        revoke=draw(mostly(st.just(candidate.other), st.none())),
        value=draw(mostly(proven, other)),
        retired=draw(mostly(retired, other)),
        successes=draw(st.integers(0, 3)),
        first_success=draw(st.none() | moments),
        tries=draw(st.integers(0, 9)),
        expires=NOW + timedelta(days=90),
        overlap_until=draw(st.none() | moments),
        overwritten=draw(mostly(st.just(0), st.integers(0, 4))),
    )


def _request(kind: RequestKind, leaked: Leaked) -> Request:
    return Request("w-1", kind, "r", "q", NOW, leaked, secret="secret-0", version="v1")


@st.composite
def records(draw: st.DrawFn, keys: Keys, phase: Phase) -> Record:
    intents = st.builds(
        Intent,
        st.just("i"),
        slots,
        values.map(lambda v: v.fingerprint(SALT)),
        moments,
        st.booleans(),
    )
    some_request = st.builds(
        _request, st.sampled_from(list(RequestKind)), st.sampled_from(list(Leaked))
    )
    seen = ObservedVersion("v1", draw(values).fingerprint(SALT))
    return Record(
        ACCOUNT,
        SALT,
        phase=phase,
        operation=None if phase is Phase.IDLE else draw(operations(keys)),
        intent=draw(mostly(st.none(), intents)),
        quarantine=draw(mostly(st.just({}), st.dictionaries(slots, moments))),
        requests=draw(mostly(st.just(()), some_request.map(lambda request: (request,)))),
        regenerated=tuple(draw(mostly(st.just([]), st.lists(moments, max_size=10)))),
        seen=draw(st.sampled_from([{"https://kv/secrets/secret-9": seen}, {}])),
        published_at=draw(mostly(st.none(), moments)),
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Any facts; in nine of ten respects like those of a healthy account.

    Each emergency has its document, as the engine sees to it.
    """
    key1, key2 = draw(st.permutations(VALUES).map(lambda p: (p[0], p[1])))
    keys, phase = Keys(key1, key2), draw(st.sampled_from(list(Phase)))
    record = draw(records(keys, phase))
    candidate = record.operation.candidate if record.operation else draw(slots)
    early = phase in (Phase.IDLE, Phase.REGENERATE, Phase.VERIFY, Phase.PUBLISH)
    usual = keys[candidate.other if early else candidate]
    found = tuple(draw(targets(n, usual)) for n in range(draw(st.integers(1, 3))))
    old = [Version(t.id, f"old-{t.id.name}", draw(past), draw(st.none() | values)) for t in found]
    current = [Version(t.id, t.version, t.created, t.value) for t in found]
    accepted = ProbeVerdict(ProbeResult.ACCEPTED)
    found_facts = Facts(
        now=NOW,
        policy=Policy(probe=draw(st.sampled_from(list(ProbePolicy)))),
        record=record,
        account=Account(ACCOUNT, "OpenAI", "https://e"),
        keys=keys,
        targets=draw(mostly(st.just(found), st.just(()))),
        versions=draw(st.none() | st.just((*old, *current))),
        verdicts={value: draw(mostly(st.just(accepted), answers)) for value in VALUES},
        control=draw(mostly(st.just(ProbeVerdict(ProbeResult.REFUSED)), answers)),
        readers=draw(st.sampled_from([None, Readers(), Readers(stale=("somebody",))])),
        cached_keys=tuple(draw(st.lists(values, max_size=1))),
    )
    return leaks.prepared(found_facts, (), "another salt")


def answered(f: Facts) -> tuple[Facts, Action]:
    """Decide with all missing facts added, as the reconciler does."""
    for _ in range(5):
        action = decide(f)
        if action.kind is not ActionKind.ASK:
            return f, action
        extra = tuple(Version(t.id, t.version, t.created, t.value) for t in f.targets)
        f = replace(f, versions=f.versions or extra, readers=f.readers or Readers())
    raise AssertionError(f"it keeps asking: {action.reason}")


def _is_rewritten(f: Facts, target: Target) -> bool:
    """Return whether an older version may hold the same value, whose overlap began earlier."""
    older = (v for v in f.versions or () if v.target == target.id and v.version != target.version)
    return any(version.value == target.value for version in older)


@MANY
@given(facts())
def test_a_regenerate_is_decided_only_if_its_guard_holds(f: Facts) -> None:
    f, action = answered(f)
    if action.kind is not ActionKind.SEND or in_emergency(action):
        return
    assert action.slot is not None
    slot, live = action.slot, action.slot.other
    published = [target.value for target in f.targets if target.value is not None]
    assert f.keys[slot] not in published, "a published key"
    assert all(value == f.keys[live] for value in published), "a dead or a split secret"
    assert f.verdicts[f.keys[live]].result is not ProbeResult.REFUSED, (
        "the published key is refused"
    )
    if f.policy.probe is ProbePolicy.REQUIRE:
        assert f.accepted(f.keys[live])
        assert f.control is not None
        assert f.control.result is ProbeResult.REFUSED
    assert len(f.recent(f.record.regenerated)) < f.policy.daily_cap
    intent = action.record.intent
    assert intent is not None, "the intent is stored before the request is sent"
    assert (intent.slot, intent.issued_at, intent.answered) == (slot, NOW, False)
    if action.record.phase is Phase.REVOKE and f.record.intent is None:
        overlap = action.record.operation.overlap if action.record.operation else timedelta()
        changed = [target.created for target in f.targets if not _is_rewritten(f, target)]
        assert all(created + overlap <= NOW for created in changed), "in the overlap"
    before = f.record.intent
    if before and not before.answered and before.slot in action.record.quarantine:
        assert action.record.quarantine[before.slot] >= NOW


def in_emergency(action: Action) -> bool:
    operation = action.record.operation
    return operation is not None and operation.purpose is Purpose.EMERGENCY


@MANY
@given(facts())
def test_an_emergency_regenerates_only_what_leaked_or_does_not_work(f: Facts) -> None:
    f, action = answered(f)
    if action.kind is not ActionKind.SEND or not in_emergency(action):
        return
    assert action.slot is not None
    leaked = action.slot in leaks.leaked_slots(f)
    assert leaked or f.verdicts[f.keys[action.slot]].result is ProbeResult.REFUSED
    assert action.record.intent is not None, "the intent is stored before the request is sent"
    assert action.record.intent.slot is action.slot


@MANY
@given(facts())
def test_an_emergency_publishes_no_leaked_key(f: Facts) -> None:
    f, action = answered(f)
    if action.kind is ActionKind.PUBLISH and action.slot is not None:
        assert action.slot not in leaks.leaked_slots(f)


@MANY
@given(facts())
def test_a_key_is_published_only_when_proven_and_out_of_quarantine(f: Facts) -> None:
    f, action = answered(f)
    if action.kind is not ActionKind.PUBLISH:
        return
    assert action.slot is not None
    key = f.keys[action.slot]
    operation = action.record.operation
    unproven = operation is not None and operation.unproven
    assert f.trusted(key) or (unproven and f.verdicts[key].result is not ProbeResult.REFUSED)
    assert f.quarantined_until(action.slot) is None
    assert key.fingerprint(SALT) == f.operation.value, "the value that VERIFY proved"


@MANY
@given(facts())
def test_no_version_is_disabled_that_holds_a_live_key_or_is_the_latest(f: Facts) -> None:
    f, action = answered(f)
    if action.kind is not ActionKind.DISABLE:
        return
    latest = {(target.id, target.version) for target in f.targets}
    for version in f.versions or ():
        if (version.target, version.version) in action.versions:
            assert (version.target, version.version) not in latest
            assert version.value not in (f.keys.key1, f.keys.key2)


@MANY
@given(facts())
def test_every_decision_has_a_reason_and_the_record_keeps_its_shape(f: Facts) -> None:
    _, action = answered(f)
    assert action.reason
    record = action.record
    assert (record.phase is Phase.IDLE) == (record.operation is None)
    assert codec.load(Record, codec.dump(record)) == record
    if action.kind is ActionKind.WAIT:
        assert action.not_before is not None
