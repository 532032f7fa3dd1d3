"""The keys that an acceptance has listed serve the visit that follows, if nothing changed them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.operation import Intent
from rotation.domain.record import Record
from rotation.engine.handover import KEPT, Handover, Listed
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW

SECOND = timedelta(seconds=1)
LISTED = Listed(KEYS, NOW)
KNOWN = {slot: KEYS[slot].fingerprint("salt") for slot in Slot}


def test_they_are_given_away_once() -> None:
    handover = Handover()
    handover.give(ACCOUNT, LISTED)
    assert handover.take(ACCOUNT, NOW) == LISTED
    assert handover.take(ACCOUNT, NOW) is None


@pytest.mark.parametrize("way", [1, -1])
def test_they_serve_for_a_few_seconds(way: int) -> None:
    handover = Handover()
    handover.give(ACCOUNT, LISTED)
    assert handover.take(ACCOUNT, NOW + way * KEPT) == LISTED
    handover.give(ACCOUNT, LISTED)
    assert handover.take(ACCOUNT, NOW + way * (KEPT + SECOND)) is None


def test_they_are_dropped_after_a_few_seconds() -> None:
    handover, other = Handover(), AccountId("s", "g", "other")
    handover.give(ACCOUNT, LISTED)
    handover.give(other, Listed(KEYS, NOW + KEPT))
    assert handover.take(ACCOUNT, NOW) == LISTED
    handover.give(ACCOUNT, LISTED)
    handover.give(other, Listed(KEYS, NOW + KEPT + SECOND))
    assert handover.take(ACCOUNT, NOW) is None


@pytest.mark.parametrize(
    ("members", "serves"),
    [
        ({}, True),
        ({"known_keys": KNOWN}, True),
        ({"known_keys": KNOWN | {Slot.KEY2: "another"}}, False),
        ({"intent": Intent("i", Slot.KEY1, "before", NOW)}, False),
        ({"quarantine": {Slot.KEY2: NOW}}, True),
        ({"quarantine": {Slot.KEY2: NOW + SECOND}}, False),
    ],
)
def test_they_serve_unless_the_record_shows_a_change(members: dict[str, Any], serves: bool) -> None:
    assert LISTED.serves(Record(ACCOUNT, "salt", **members)) is serves
