"""An account of two secrets to decide about: healthy, unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from rotation.decisions.actions import Action
from rotation.decisions.facts import Facts
from rotation.domain.account import Account
from rotation.domain.emergency import Emergency, Pin
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Operation, Phase, Purpose
from rotation.domain.policy import Policy
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import ObservedVersion, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.domain.targets import Enrolment, Target, Version

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=20)
ACCOUNT = AccountId("s1", "rg-a", "acct-a")
KEYS = Keys(Key("a" * 32), Key("b" * 32))
OLD = Key("c" * 32)
ACCEPTED, REFUSED = ProbeVerdict(ProbeResult.ACCEPTED), ProbeVerdict(ProbeResult.REFUSED)
INCONCLUSIVE = ProbeVerdict(ProbeResult.INCONCLUSIVE, "no network")


def target(name: str = "a", value: Key | None = KEYS.key1, **more: Any) -> Target:
    """Return a secret that publishes Key1."""
    members: dict[str, Any] = {
        "version": "v1",
        "created": LONG_AGO,
        "expires": NOW + timedelta(days=70),
        "content_type": None,
        "tags": {},
        "enrolment": Enrolment(ACCOUNT, validity=timedelta(days=90)),
    }
    return Target(id=TargetId("https://kv", name), value=value, **{**members, **more})


def seen(value: Key = KEYS.key1, version: str = "v1", **more: Any) -> ObservedVersion:
    """Return what the record remembers of a secret."""
    return ObservedVersion(version, value.fingerprint("salt"), **more)


def facts(*targets: Target, versions: tuple[Version, ...] = (), **record: Any) -> Facts:
    """Return an account whose versions are read and whose two keys are accepted."""
    targets = targets or (target("a"), target("b"))
    now = tuple(Version(t.id, t.version, t.created, t.value) for t in targets)
    return Facts(
        now=NOW,
        policy=Policy(),
        record=replace(Record(ACCOUNT, "salt", seen=_seen(targets)), **record),
        account=Account(ACCOUNT, "OpenAI", "https://e"),
        keys=KEYS,
        targets=targets,
        versions=(*versions, *now),
        verdicts={KEYS.key1: ACCEPTED, KEYS.key2: ACCEPTED, OLD: REFUSED},
        control=REFUSED,
    )


def _seen(targets: tuple[Target, ...]) -> dict[str, ObservedVersion]:
    """Remember the values that are shown, and Key1 of version v1 of a disabled secret."""
    return {str(t.id): seen(t.value, t.version) if t.value else seen() for t in targets}


def rotation(**more: Any) -> Operation:
    """Return a rotation that publishes Key2 and revokes Key1."""
    members: dict[str, Any] = {
        "id": "op-1",
        "purpose": Purpose.ROTATE,
        "reason": "due",
        "requester": "schedule",
        "started_at": NOW - timedelta(hours=1),
        "phase_since": NOW - timedelta(hours=1),
        "candidate": Slot.KEY2,
        "overlap": timedelta(hours=26),
        "successes_needed": 3,
        "revoke": Slot.KEY1,
        "value": KEYS.key2.fingerprint("salt"),
        "retired": KEYS.key1.fingerprint("salt"),
    }
    return Operation(**{**members, **more})


def emergency(leaked: Leaked = Leaked.KEY1, **more: Any) -> Request:
    """Return the report of a leaked key."""
    return Request("e-1", RequestKind.EMERGENCY, "leaked", "ana", NOW, leaked, **more)


def running(phase: Phase, operation: Operation, *targets: Target, **record: Any) -> Facts:
    """Return an account with a running operation."""
    return facts(*targets, phase=phase, operation=operation, **record)


def name(secret: str = "a") -> str:
    """Return the id under which a record remembers a secret."""
    return str(TargetId("https://kv", secret))


def version(secret: str, at: datetime, value: Key | None, of: str = "v0") -> Version:
    """Return an earlier version of a secret."""
    return Version(TargetId("https://kv", secret), of, at, value)


def document(*leaked: Key, **more: Any) -> Emergency:
    """Return an emergency that has begun, with a pin for each leaked value: Key1 by default."""
    pins = tuple(Pin(KEYS.slot_of(k) or Slot.KEY1, k.fingerprint("pins")) for k in leaked)
    members: dict[str, Any] = {
        "id": "e-1",
        "account": ACCOUNT,
        "salt": "pins",
        "leaked": Leaked.KEY1,
        "reason": "leaked",
        "requester": "ana",
        "at": NOW - timedelta(hours=1),
        "begun_at": NOW - timedelta(hours=1),
        "pins": pins or (Pin(Slot.KEY1, KEYS.key1.fingerprint("pins")),),
    }
    return Emergency(**{**members, **more})


def responding(phase: Phase, *targets: Target, op: Any = None, **record: Any) -> Facts:
    """Return a running emergency that publishes Key2 and revokes the leaked Key1."""
    members = {"id": "e-1", "purpose": Purpose.EMERGENCY, "leaked": Leaked.KEY1}
    members |= {"requester": "ana", "overlap": timedelta()} | (op or {})
    f = running(phase, rotation(**members), *targets, **record)
    return replace(f, emergencies=(document(),))


def verdicts(f: Facts, *answers: tuple[Key, ProbeVerdict]) -> Facts:
    """Return the facts with other answers of the data plane."""
    return replace(f, verdicts={**f.verdicts, **dict(answers)})


def operation(action: Action | None) -> Operation:
    """Return the operation that an action stores."""
    assert action is not None
    assert action.record.operation is not None
    return action.record.operation


def phase(action: Action | None) -> Phase:
    """Return the phase that an action enters or stays in."""
    assert action is not None
    return action.record.phase


def notices(action: Action | None) -> list[str]:
    """Return the types of the notifications that an action sends."""
    assert action is not None
    return [notice.type for notice in action.record.outbox]


def changed(f: Facts, **members: Any) -> Facts:
    """Return the facts with another running operation."""
    return replace(f, record=replace(f.record, operation=replace(f.operation, **members)))
