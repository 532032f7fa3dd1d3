"""Leaving: what a record is without a secret, and when a secret may not leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Phase
from rotation.domain.record import LEFT, Hold, ObservedVersion, Record
from rotation.domain.request import Request, RequestKind
from rotation.domain.targets import SecretSnapshot
from rotation.ops.enrolment.leaving import decide, left
from tests.unit.decisions.account import rotation

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "acct")
ONE, TWO = (TargetId("https://kv.vault.azure.net", name) for name in ("one", "two"))
RECORD = Record(
    ACCOUNT,
    "salt",
    members={str(ONE): Member(NOW), str(TWO): Member(NOW)},
    seen={str(ONE): ObservedVersion("v", "f"), str(TWO): ObservedVersion("v", "f")},
    notes={str(ONE): "a note"},
    held={str(ONE): Hold(NOW), "": Hold()},
    known_keys={Slot.KEY1: "f"},
)


def snapshot(**tags: str) -> SecretSnapshot:
    return SecretSnapshot(ONE, "v", Key("a" * 32), NOW, tags=tags)


def test_the_secret_leaves_nothing_in_the_record_and_the_rest_stays() -> None:
    found = left(RECORD, ONE, NOW)
    assert found is not None
    assert {*found.members, *found.seen} == {str(TWO)}
    assert (found.notes, found.held, found.left) == ({}, {"": Hold()}, (str(ONE),))
    assert found.known_keys == RECORD.known_keys
    assert [(n.type, n.data["reason"]) for n in found.outbox] == [
        ("left", "a person removed it with unenrol")
    ]


def test_a_secret_that_only_an_earlier_version_knew_leaves_too() -> None:
    found = left(replace(RECORD, members={}), ONE, NOW)
    assert found is not None
    assert {*found.seen} == {str(TWO)}


def test_a_secret_that_is_not_a_member_changes_nothing() -> None:
    assert left(Record(ACCOUNT, "salt"), ONE, NOW) is None
    assert left(replace(RECORD, operation=rotation()), TargetId(ONE.vault, "x"), NOW) is None


def test_the_names_of_secrets_that_left_are_limited() -> None:
    full = replace(RECORD, left=tuple(str(number) for number in range(LEFT)))
    found = left(full, ONE, NOW)
    assert found is not None
    assert (len(found.left), found.left[-1]) == (LEFT, str(ONE))


REQUEST = Request("id-1", RequestKind.EMERGENCY, "r", "ana", NOW)


@pytest.mark.parametrize(
    "busy",
    [
        replace(RECORD, operation=rotation()),
        replace(RECORD, phase=Phase.CLEAN),
        replace(RECORD, requests=(REQUEST,)),
    ],
)
def test_a_secret_does_not_leave_while_something_is_under_way(busy: Record) -> None:
    with pytest.raises(Permanent) as caught:
        left(busy, ONE, NOW)
    assert caught.value.code == "UnderWay"


def test_only_the_address_is_removed_from_the_tags() -> None:
    address = str(ACCOUNT)
    secret = snapshot(**{" providerAddress": address, "RotationId": "x-1", "team": "a"})
    plan = decide(ONE, ACCOUNT, secret, (), at_once=True)
    assert (plan.version, plan.tags) == ("v", {"RotationId": "x-1", "team": "a"})
    assert "Nothing rotates the keys of acct any more" in plan.effects


@pytest.mark.parametrize("secret", [None, snapshot(team="a")])
def test_without_our_tags_there_is_nothing_to_write(secret: SecretSnapshot | None) -> None:
    plan = decide(ONE, ACCOUNT, secret, (TWO,), at_once=False)
    assert plan.tags is None
    assert "gets no new one" in plan.effects[-1]
    assert "one overlap later" in plan.effects[0]
