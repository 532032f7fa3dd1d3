"""A rotation publishes; one secret was rewritten and disabled before anybody read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.keys import Key
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import Hold

from .account import KEYS, NOW, rotation, running, target

UNREAD = target("a", None, version="v9")


def publishing(other: Key, held: timedelta = timedelta(), **more: Any) -> Facts:
    spells = {str(UNREAD.id): Hold(NOW - held)} if held else {}
    operation = rotation(**more)
    return running(Phase.PUBLISH, operation, UNREAD, target("b", other), held=spells)


def test_the_other_secrets_get_the_new_key() -> None:
    action = decide(publishing(KEYS.key1))
    assert action.kind is ActionKind.PUBLISH
    assert [each.name for each in action.targets] == ["b"]


def test_then_the_rotation_waits_for_a_person() -> None:
    action = decide(publishing(KEYS.key2))
    assert action.kind is ActionKind.BLOCKED
    assert action.reason == "a: disabled before its value was read; enable it"


def test_after_the_bound_of_holds_it_goes_on_without_the_secret() -> None:
    action = decide(publishing(KEYS.key2, timedelta(days=7)))
    assert action.record.phase is Phase.OVERLAP
    assert action.record.operation is not None
    assert action.record.operation.left_behind == (str(UNREAD.id),)


def test_a_repair_does_not_wait() -> None:
    action = decide(publishing(KEYS.key2, purpose=Purpose.REPAIR))
    assert action.record.phase is Phase.IDLE
