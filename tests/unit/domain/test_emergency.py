"""The document of an emergency: what is pinned, what is dead, and what says "revoked"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.emergency import (
    APART,
    STALE,
    Emergency,
    Pin,
    Verdict,
    closed,
    from_request,
    observed,
    pinned,
    refused,
)
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.request import Leaked, Request, RequestKind

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "n")
ONE, TWO, NEW = Key("key-one"), Key("key-two"), Key("key-new")
KEYS = Keys(ONE, TWO)
ROTATED = Keys(NEW, TWO)


def emergency(leaked: Leaked = Leaked.KEY1) -> Emergency:
    request = Request("e-1", RequestKind.EMERGENCY, "a leak", "alice", NOW, leaked)
    return from_request(ACCOUNT, request, "salt")


def pins(e: Emergency) -> set[Slot]:
    return {pin.slot for pin in e.pins}


def test_it_pins_the_value_of_the_slot_named() -> None:
    e = pinned(emergency(), KEYS, NOW)
    assert e.pins == (Pin(Slot.KEY1, ONE.fingerprint("salt")),)
    assert e.holds(ONE)
    assert not e.holds(TWO)


def test_unknown_pins_both_values() -> None:
    assert pins(pinned(emergency(Leaked.UNKNOWN), KEYS, NOW)) == {*Slot}


def test_pins_never_move_to_another_value() -> None:
    e = pinned(emergency(), KEYS, NOW)
    assert pinned(e, ROTATED, NOW) == e
    assert e.shown_by(ROTATED) == frozenset()


def test_a_pinned_value_counts_in_whichever_slot_it_is_shown() -> None:
    assert pinned(emergency(), KEYS, NOW).shown_by(Keys(TWO, ONE)) == {Slot.KEY2}


def test_a_provisional_pin_stays_and_what_the_first_listing_shows_is_pinned_too() -> None:
    e = replace(pinned(emergency(), KEYS, NOW), provisional=True)
    assert closed(refused(observed(e, ROTATED, NOW), ONE, NOW), NOW).is_open, "not yet listed"
    both = pinned(e, ROTATED, NOW)
    assert both.holds(ONE)
    assert both.holds(NEW)
    assert not both.provisional


def test_but_not_a_value_that_we_made_after_acceptance() -> None:
    e = replace(pinned(emergency(), KEYS, NOW), provisional=True)
    assert not pinned(e, ROTATED, NOW, [Slot.KEY1]).holds(NEW)


def test_after_a_day_nothing_is_pinned_until_a_person_confirms() -> None:
    late = NOW + STALE + timedelta(seconds=1)
    assert not pinned(emergency(), KEYS, late).pins
    assert pinned(replace(emergency(), begun_at=late), KEYS, late).pins


def test_a_value_that_is_not_shown_any_longer_is_gone_after_ten_minutes() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW)
    assert not e.pins[0].gone
    assert observed(e, ROTATED, NOW + APART).pins[0].gone


def test_or_at_once_if_our_own_regenerate_was_answered() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    assert e.pins[0].gone


def test_a_value_that_is_shown_again_is_not_gone() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    assert not observed(e, KEYS, NOW).pins[0].gone


def test_a_refusal_counts_only_once_the_value_is_no_longer_shown() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), KEYS, NOW)
    assert refused(e, ONE, NOW) == e


def test_it_ends_as_refused_only_if_every_value_was_refused() -> None:
    e = observed(pinned(emergency(Leaked.UNKNOWN), KEYS, NOW), Keys(NEW, Key("x")), NOW, [*Slot])
    e = closed(refused(e, ONE, NOW), NOW)
    assert e.is_open
    e = closed(refused(e, TWO, NOW), NOW)
    assert (e.verdict, e.closed_at) == (Verdict.REFUSED, NOW)


def test_a_value_that_is_gone_and_cannot_be_tried_ends_as_not_proven() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    assert closed(e, NOW).is_open, "it can still be tried"
    assert closed(e, NOW, e.pins).verdict is Verdict.NOT_PROVEN


def test_a_value_that_may_still_be_there_keeps_it_open() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW)
    assert closed(e, NOW, e.pins).is_open


def test_without_a_pin_it_never_ends_alone() -> None:
    assert closed(observed(emergency(), KEYS, NOW), NOW).is_open


def test_it_is_stored_without_a_key() -> None:
    e = pinned(emergency(Leaked.UNKNOWN), KEYS, NOW)
    body = codec.dump(e)
    assert codec.load(Emergency, body) == e
    assert b"key-one" not in body
