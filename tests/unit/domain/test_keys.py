"""Keys: compared by value, named by a salted fingerprint, never shown, pickled or copied."""

from __future__ import annotations

import copy
import pickle

import pytest

from rotation.domain.keys import Key, Keys, Slot

ONE, TWO = Key("key-one"), Key("key-two")


def test_each_slot_is_the_other_of_the_other() -> None:
    assert Slot.KEY1.other is Slot.KEY2
    assert Slot.KEY2.other is Slot.KEY1


def test_keys_are_compared_by_value() -> None:
    assert Key("key-one") == ONE
    assert hash(Key("key-one")) == hash(ONE)
    assert ONE != TWO
    assert Key("schlüssel") == Key("schlüssel")
    assert Key("key-one") != "key-one"


def test_a_fingerprint_depends_on_the_value_and_on_the_salt() -> None:
    key = Key("key-one")
    first = key.fingerprint("salt")
    assert first == Key("key-one").fingerprint("salt") == "b3b0fb9bd12017edbf1f7e369e538814"
    assert first != TWO.fingerprint("salt")
    other = key.fingerprint("another salt")
    assert first != other
    assert key.fingerprint("another salt") == other
    assert key.fingerprint("salt") == first


def test_a_key_is_never_shown_pickled_or_copied() -> None:
    assert "key-one" not in f"{ONE} {ONE!r} {Keys(ONE, TWO)}"
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(ONE)


def test_a_slot_is_found_by_its_value() -> None:
    keys = Keys(ONE, TWO)
    assert (keys[Slot.KEY1], keys[Slot.KEY2]) == (ONE, TWO)
    assert keys.slot_of(Key("key-one")) is Slot.KEY1
    assert keys.slot_of(Key("key-two")) is Slot.KEY2
    assert keys.slot_of(Key("key-three")) is None
    assert keys.slot_of(None) is None
