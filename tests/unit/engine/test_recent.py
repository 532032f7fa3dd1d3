"""A step uses what the visit has just read, and reads again what may have changed since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rotation.decisions.actions import Action, ActionKind
from rotation.domain.account import Account
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Purpose
from rotation.domain.targets import SecretSnapshot, Version
from rotation.engine.reader import Read
from rotation.engine.recent import Recent
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, OLD, REFUSED, facts, rotation

ONE = TargetId("https://kv", "one")
LIMIT = timedelta(seconds=8)
KNOWN = Account(ACCOUNT, "OpenAI", "https://e")
SHOWN = Read((SecretSnapshot(ONE, "v1", KEYS.key1, NOW),))


def recent(**more: Any) -> Recent:
    return Recent(**{"account": KNOWN, "read": SHOWN, "keys": KEYS, "at": NOW, **more})


def after(kind: ActionKind, purpose: Purpose = Purpose.ROTATE) -> tuple[bool, bool, bool]:
    """Return whether the account, the secrets and the keys are still known."""
    found, f = recent(), facts(operation=rotation(purpose=purpose))
    found.after(f, Action(kind, "", f.record))
    return found.account is not None, found.read is not None, found.keys is not None


@pytest.mark.parametrize("age", [LIMIT, -LIMIT])
def test_what_was_read_serves_for_eight_seconds(age: timedelta) -> None:
    found = recent()
    found.begin(NOW + age, LIMIT, may_send=False)
    assert found == recent(is_reused=True)


@pytest.mark.parametrize("age", [LIMIT + timedelta(microseconds=1), -timedelta(seconds=9)])
def test_after_that_everything_is_read_again(age: timedelta) -> None:
    found = recent()
    found.begin(NOW + age, LIMIT, may_send=False)
    assert (found.account, found.read, found.keys) == (None, None, None)
    assert (found.at, found.is_reused) == (NOW + age, False)


def test_a_step_that_may_send_a_regenerate_reads_everything_itself() -> None:
    found = recent()
    found.begin(NOW, LIMIT, may_send=True)
    assert (found.account, found.read, found.keys, found.is_reused) == (None, None, None, False)


@pytest.mark.parametrize("is_answer", [True, False])
def test_an_emergency_uses_keys_only_if_they_were_listed(is_answer: bool) -> None:
    found = recent(is_answer=is_answer)
    found.begin(NOW, LIMIT, may_send=False, urgent=True)
    keys = None if is_answer else KEYS
    assert (found.account, found.read, found.keys, found.is_answer) == (KNOWN, SHOWN, keys, False)


def test_keys_that_were_just_listed_serve_the_regenerate_of_an_emergency() -> None:
    found = recent(read=None)
    found.begin(NOW, LIMIT, may_send=False, urgent=True)
    assert (found.keys, found.is_reused) == (KEYS, False)
    found.read = SHOWN
    found.begin(NOW, LIMIT, may_send=False, urgent=True)
    assert found.is_reused, "the secrets are read again"


def test_a_known_account_alone_is_not_a_reason_to_read_before_a_regenerate() -> None:
    found = recent(read=None, keys=None)
    found.begin(NOW, LIMIT, may_send=False)
    assert not found.is_reused
    for known in ({"read": None}, {"keys": None}):
        found = recent(**known)
        found.begin(NOW, LIMIT, may_send=False)
        assert found.is_reused


def keys_for(found: Recent, read: Read, age: timedelta = LIMIT) -> Keys | None:
    return found.keys_for(read, NOW + age, LIMIT)


def test_keys_are_read_again_if_a_secret_shows_another_value() -> None:
    assert keys_for(recent(), SHOWN) is KEYS
    other = Read((*SHOWN.snapshots, SecretSnapshot(ONE, "v2", Key("x" * 32), NOW)))
    assert keys_for(recent(), other) is None
    assert keys_for(recent(), Read((SecretSnapshot(ONE, "v2", None, NOW),))) is KEYS, "disabled"
    assert keys_for(recent(keys=None), SHOWN) is None


@pytest.mark.parametrize("age", [timedelta(seconds=9), -timedelta(seconds=9)])
def test_keys_are_read_again_if_the_secrets_took_too_long(age: timedelta) -> None:
    assert keys_for(recent(), SHOWN, age) is None


def test_a_regenerate_changes_the_keys_only() -> None:
    assert after(ActionKind.SEND) == (True, True, False)


def answered(keys: Keys | None, purpose: Purpose = Purpose.ROTATE) -> Recent:
    found, f = recent(), facts(operation=rotation(purpose=purpose))
    found.after(f, Action(ActionKind.SEND, "", f.record, slot=Slot.KEY2), keys)
    return found


def test_the_answer_to_a_regenerate_has_the_new_keys() -> None:
    new = Keys(KEYS.key1, OLD)
    found = answered(new)
    assert (found.keys, found.is_answer) == (new, True)
    found.note(KNOWN, SHOWN, new)
    assert found.is_answer
    found.note(KNOWN, SHOWN, Keys(KEYS.key1, OLD))
    assert not found.is_answer, "they were listed"


@pytest.mark.parametrize("keys", [None, KEYS, Keys(OLD, KEYS.key2), Keys(OLD, Key("d" * 32))])
def test_an_answer_that_differs_elsewhere_is_ignored(keys: Keys | None) -> None:
    found = answered(keys)
    assert (found.keys, found.is_answer) == (None, False)


@pytest.mark.parametrize("purpose", [Purpose.ROTATE, Purpose.EMERGENCY])
@pytest.mark.parametrize("kind", [ActionKind.PUBLISH, ActionKind.SEND, ActionKind.DISABLE])
def test_only_a_publish_leaves_the_verdicts_about_values(
    kind: ActionKind, purpose: Purpose
) -> None:
    found, f = recent(), facts(operation=rotation(purpose=purpose))
    found.after(f, Action(kind, "", f.record, slot=Slot.KEY2))
    kept = (f.verdicts, f.control) if kind is ActionKind.PUBLISH else ({}, None)
    assert (found.verdicts, found.control) == kept
    found.begin(NOW + timedelta(minutes=1), LIMIT, may_send=False)
    assert (found.verdicts, found.control) == ({}, None)


def test_an_emergency_does_not_use_the_answer() -> None:
    found = answered(Keys(KEYS.key1, OLD), Purpose.EMERGENCY)
    assert (found.keys, found.is_answer) == (None, False)


def test_a_publish_changes_the_secrets_only() -> None:
    assert after(ActionKind.PUBLISH) == (True, False, True)


@pytest.mark.parametrize("kind", [ActionKind.SEND, ActionKind.DISABLE])
def test_an_emergency_looks_again_for_all_secrets_and_keys(kind: ActionKind) -> None:
    assert after(kind, Purpose.EMERGENCY) == (True, False, False)


def test_an_emergency_keeps_the_keys_over_its_publish() -> None:
    assert after(ActionKind.PUBLISH, Purpose.EMERGENCY) == (True, False, True)


@pytest.mark.parametrize("kind", [ActionKind.MOVE, ActionKind.BLOCKED])
def test_a_step_without_an_effect_forgets_everything(kind: ActionKind) -> None:
    assert after(kind) == (False, False, False)


@pytest.mark.parametrize("kind", [ActionKind.WAIT, ActionKind.IDLE])
def test_a_step_that_comes_to_rest_keeps_its_facts_for_the_next_sweep(kind: ActionKind) -> None:
    found, f = recent(), facts(operation=rotation())
    found.after(f, Action(kind, "", f.record))
    assert (found.facts, found.read, found.account) == (f, SHOWN, KNOWN)


def test_a_version_that_was_disabled_has_no_value_and_the_others_keep_theirs() -> None:
    old, new = Version(ONE, "v1", NOW, OLD), Version(ONE, "v2", NOW, KEYS.key1)
    found, f = recent(), facts(operation=rotation(), versions=(old, new))
    found.after(f, Action(ActionKind.DISABLE, "", f.record, versions=((ONE, "v1"),)))
    assert found.versions == (Version(ONE, "v1", NOW, None), *f.known_versions[1:])
    assert new in found.versions
    assert (found.read, found.keys) == (SHOWN, KEYS)


def test_all_that_is_forgotten_includes_the_answer() -> None:
    found = recent(is_answer=True, verdicts={OLD: REFUSED}, control=REFUSED, facts=facts())
    found.forget()
    assert found == Recent()


def test_keys_that_were_listed_do_not_become_those_of_an_answer() -> None:
    found = recent()
    found.note(KNOWN, SHOWN, KEYS)
    assert not found.is_answer
