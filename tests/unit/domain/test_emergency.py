"""The document of an emergency: what is pinned, what is dead, and what says "revoked"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from rotation.domain import codec
from rotation.domain.emergency import (
    APART,
    STALE,
    Emergency,
    Pin,
    Verdict,
    closed,
    committed,
    ended,
    from_request,
    observed,
    pinned,
    refused,
)
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import AuditEntry
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


OTHERS = Keys(NEW, Key("x"))
SECOND = timedelta(seconds=1)


def test_it_keeps_every_member_of_the_request() -> None:
    request = Request(
        "e-1",
        RequestKind.EMERGENCY,
        "a leak",
        "alice",
        NOW,
        Leaked.KEY2,
        overlap=timedelta(hours=2),
        idempotency_key="idem",
        secret="https://kv/secrets/x",
        role="Rotation.Emergency",
        request_id="call-1",
    )
    e = from_request(ACCOUNT, request, "salt")
    assert (e.account, e.salt, e.pins) == (ACCOUNT, "salt", ())
    assert e.asking() == request


def test_a_value_is_found_by_its_pin() -> None:
    e = pinned(emergency(), KEYS, NOW)
    (pin,) = e.pins
    assert e.value_of(pin, [TWO, NEW, ONE]) == ONE
    assert e.value_of(pin, [TWO, NEW]) is None


@pytest.mark.parametrize(
    ("begun", "age", "is_stale"),
    [
        (False, STALE, False),
        (False, STALE + SECOND, True),
        (True, STALE + SECOND, False),
    ],
)
def test_it_is_stale_if_it_has_not_begun_within_a_day(
    begun: bool, age: timedelta, is_stale: bool
) -> None:
    e = replace(emergency(), begun_at=NOW if begun else None)
    assert e.is_stale(NOW + age) is is_stale


@pytest.mark.parametrize("leaked", [Leaked.KEY1, Leaked.KEY2])
def test_only_the_slot_named_is_pinned(leaked: Leaked) -> None:
    assert pins(pinned(emergency(leaked), KEYS, NOW)) == {leaked.slot}


def test_a_provisional_pin_of_a_value_that_is_shown_is_not_pinned_twice() -> None:
    e = replace(pinned(emergency(), KEYS, NOW), provisional=True)
    assert pinned(e, KEYS, NOW).pins == e.pins


def test_a_provisional_pin_keeps_its_place_before_the_others() -> None:
    e = replace(pinned(emergency(), KEYS, NOW), provisional=True)
    assert [pin.fingerprint for pin in pinned(e, ROTATED, NOW).pins] == [
        ONE.fingerprint("salt"),
        NEW.fingerprint("salt"),
    ]


def test_a_stale_one_is_not_pinned_though_its_pins_are_provisional() -> None:
    e = replace(pinned(emergency(), KEYS, NOW), provisional=True)
    assert pinned(e, ROTATED, NOW + STALE + SECOND) == e


@pytest.mark.parametrize(("age", "gone"), [(APART - SECOND, False), (APART, True)])
def test_the_ten_minutes_count_from_the_first_reading_without_it(
    age: timedelta, gone: bool
) -> None:
    e = observed(pinned(emergency(), KEYS, NOW - 2 * APART), ROTATED, NOW)
    e = observed(e, ROTATED, NOW + age)
    assert (e.pins[0].gone_at, e.pins[0].gone) == (NOW, gone)


def test_a_value_that_is_gone_stays_gone() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    assert observed(e, ROTATED, NOW + SECOND).pins[0].gone


def test_an_answered_regenerate_of_the_other_slot_confirms_nothing() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY2])
    assert not e.pins[0].gone


def test_a_value_that_is_shown_again_begins_again() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW)
    e = observed(e, KEYS, NOW + SECOND)
    assert (e.pins[0].gone_at, e.pins[0].gone) == (None, False)


def test_a_refusal_counts_for_its_own_value_only() -> None:
    e = observed(pinned(emergency(Leaked.UNKNOWN), KEYS, NOW), OTHERS, NOW)
    e = refused(e, TWO, NOW)
    assert [pin.refused_at for pin in e.pins] == [None, NOW]


def test_a_value_that_was_refused_and_one_that_cannot_be_tried_end_as_not_proven() -> None:
    e = observed(pinned(emergency(Leaked.UNKNOWN), KEYS, NOW), OTHERS, NOW, [*Slot])
    e = refused(e, ONE, NOW)
    assert closed(e, NOW, e.pins[:1]).is_open, "the other can be tried"
    found = closed(e, NOW, e.pins[1:])
    assert (found.verdict, found.closed_at) == (Verdict.NOT_PROVEN, NOW)


def test_every_value_that_is_left_must_be_gone_and_untriable() -> None:
    e = observed(pinned(emergency(Leaked.UNKNOWN), KEYS, NOW), OTHERS, NOW, [Slot.KEY1])
    assert closed(e, NOW, e.pins).is_open


def test_provisional_pins_never_close_it() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    e = replace(refused(e, ONE, NOW), provisional=True)
    assert closed(e, NOW, e.pins) == e


def test_one_that_is_over_keeps_its_verdict() -> None:
    e = observed(pinned(emergency(), KEYS, NOW), ROTATED, NOW, [Slot.KEY1])
    e = ended(refused(e, ONE, NOW), Verdict.ABANDONED, NOW, "alice: by hand")
    assert closed(e, NOW + SECOND) == e
    assert committed(e, "i-2") == e


def test_a_regenerate_that_is_about_to_be_sent_is_noted() -> None:
    assert committed(committed(emergency(), "i-1"), "i-2").intent == "i-2"


def test_the_end_clears_what_was_shown_and_keeps_the_audit_trail() -> None:
    entry = AuditEntry(NOW, "confirmed")
    e = replace(emergency(), why="w", remedy="r", look_at=NOW, audit=(entry,))
    found = ended(e, Verdict.ABANDONED, NOW + SECOND, "alice: by hand")
    assert (found.verdict, found.closed_at) == (Verdict.ABANDONED, NOW + SECOND)
    assert (found.why, found.remedy, found.look_at) == ("", "", None)
    assert found.audit == (entry, AuditEntry(NOW + SECOND, "alice: by hand"))
    assert ended(e, Verdict.REFUSED, NOW).audit == (entry,)


def test_the_second_key_that_is_shown_is_not_gone() -> None:
    e = observed(pinned(emergency(Leaked.KEY2), KEYS, NOW), KEYS, NOW, [Slot.KEY2])
    assert (e.pins[0].gone_at, e.pins[0].gone) == (None, False)
