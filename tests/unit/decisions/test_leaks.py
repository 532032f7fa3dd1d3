"""An emergency is about values: the slots and secrets that show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import leaks
from rotation.decisions.facts import Facts
from rotation.domain.emergency import Emergency, Pin, Verdict
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import AuditEntry, Intent, Phase, Purpose
from rotation.domain.record import Record
from rotation.domain.request import Leaked, Request, RequestKind

from .account import (
    ACCOUNT,
    KEYS,
    NOW,
    OLD,
    document,
    emergency,
    facts,
    name,
    responding,
    rotation,
    target,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MANUAL = Request("m-1", RequestKind.MANUAL, "please", "bo", NOW)
RUNNING = rotation(id="e-0", purpose=Purpose.EMERGENCY, requests=("e-2", "e-3"))


def pin(key: Key, slot: Slot = Slot.KEY1, **more: Any) -> Pin:
    return Pin(slot, key.fingerprint("pins"), **more)


class TestNamed:
    """The ids of the emergencies that a record names."""

    def test_those_that_wait(self) -> None:
        assert leaks.named(Record(ACCOUNT, "salt", requests=(MANUAL, emergency()))) == ("e-1",)

    def test_the_running_one_and_those_that_joined_it(self) -> None:
        record = Record(ACCOUNT, "salt", requests=(emergency(),), operation=RUNNING)
        assert leaks.named(record) == ("e-1", "e-0", "e-2", "e-3")

    def test_a_rotation_is_none(self) -> None:
        record = Record(ACCOUNT, "salt", requests=(emergency(),), operation=rotation())
        assert leaks.named(record) == ("e-1",)


class TestAdopted:
    """Documents for what an earlier version recorded without one."""

    def adopted(self, *known: str, **record: Any) -> list[Emergency]:
        return leaks.adopted(Record(ACCOUNT, "salt", **record), known, "fresh")

    def test_a_request_gets_one_without_a_pin(self) -> None:
        asked = emergency(secret="s", overlap=HOUR, role="r", request_id="q", idempotency_key="k")
        (found,) = self.adopted(requests=(MANUAL, asked))
        assert (found.id, found.account, found.salt, found.pins) == ("e-1", ACCOUNT, "fresh", ())
        assert found.asking() == asked

    def test_one_that_has_one_gets_no_other(self) -> None:
        assert self.adopted("e-1", requests=(emergency(),)) == []

    @pytest.mark.parametrize("known", ["e-0", "e-2", "e-3"])
    def test_nor_does_a_running_one(self, known: str) -> None:
        assert self.adopted(known, operation=RUNNING, phase=Phase.REVOKE) == []

    def test_nor_a_rotation(self) -> None:
        assert self.adopted(operation=rotation(), phase=Phase.REVOKE) == []

    def test_a_running_one_is_pinned_to_the_key_that_it_revokes(self) -> None:
        running = replace(
            RUNNING,
            leaked=Leaked.KEY1,
            retired="f-1",
            asked_at=NOW - DAY,
            role="Rotation.Emergency",
            request_id="q",
            idempotency_keys=("k-1", "k-2"),
        )
        (found,) = self.adopted(operation=running, phase=Phase.REVOKE, known_keys={Slot.KEY2: "x"})
        assert found == Emergency(
            id="e-0",
            account=ACCOUNT,
            salt="salt",
            leaked=Leaked.KEY1,
            reason=running.reason,
            requester=running.requester,
            at=NOW - DAY,
            overlap=running.overlap,
            role="Rotation.Emergency",
            request_id="q",
            idempotency_key="k-1",
            pins=(Pin(Slot.KEY1, "f-1"),),
            begun_at=running.started_at,
        )

    def test_without_the_time_of_the_report_it_began_when_the_operation_did(self) -> None:
        (found,) = self.adopted(operation=RUNNING, phase=Phase.REVOKE)
        assert (found.at, found.idempotency_key) == (RUNNING.started_at, None)

    @pytest.mark.parametrize(
        ("leaked", "phase", "both"),
        [
            (Leaked.UNKNOWN, Phase.REGENERATE, True),
            (Leaked.KEY2, Phase.REGENERATE, True),
            (Leaked.KEY1, Phase.REGENERATE, False),
            (Leaked.UNKNOWN, Phase.VERIFY, False),
        ],
    )
    def test_the_successor_is_pinned_too_if_it_leaked_and_is_not_regenerated_yet(
        self, leaked: Leaked, phase: Phase, both: bool
    ) -> None:
        running = replace(RUNNING, leaked=leaked, retired="f-1")
        (found,) = self.adopted(operation=running, phase=phase, known_keys={Slot.KEY2: "f-2"})
        more = (Pin(Slot.KEY2, "f-2"),) if both else ()
        assert found.pins == (Pin(Slot.KEY1, "f-1"), *more)

    @pytest.mark.parametrize("lost", [{"revoke": None}, {"retired": None}])
    def test_what_nobody_knows_is_not_pinned(self, lost: Any) -> None:
        running = replace(RUNNING, **({"leaked": Leaked.UNKNOWN} | lost))
        assert self.adopted(operation=running, phase=Phase.REGENERATE)[0].pins == ()


class TestListing:
    """The effects of one listing of the keys on an emergency."""

    KEYS = Keys(KEYS.key1, KEYS.key2)

    def looked_at(self, found: Emergency, intent: Intent | None = None) -> Emergency:
        return leaks.looked_at(found, Record(ACCOUNT, "salt", intent=intent), self.KEYS, NOW)

    def unpinned(self, **more: Any) -> Emergency:
        return document(**{"leaked": Leaked.UNKNOWN, "pins": (), "begun_at": None, **more})

    def sent(self, ago: timedelta, before: Key = OLD, **more: Any) -> Intent:
        return Intent("i", Slot.KEY1, before.fingerprint("salt"), NOW - ago, **more)

    def test_the_first_one_pins_the_keys_and_says_so(self) -> None:
        before = AuditEntry(NOW - HOUR, "reported")
        found = self.looked_at(self.unpinned(audit=(before,)))
        assert found.pins == (pin(KEYS.key1), pin(KEYS.key2, Slot.KEY2))
        assert [entry.at for entry in found.audit] == [NOW - HOUR, NOW]
        assert found.begun_at == NOW

    def test_a_later_one_pins_nothing_and_says_nothing(self) -> None:
        found = self.looked_at(document())
        assert (found.pins, found.audit) == ((pin(KEYS.key1),), ())
        assert found.begun_at == NOW - HOUR

    def test_a_key_that_we_made_after_the_report_did_not_leak(self) -> None:
        found = self.looked_at(self.unpinned(), self.sent(HOUR))
        assert found.pins == (pin(KEYS.key2, Slot.KEY2),)

    @pytest.mark.parametrize("ago", [HOUR + SECOND, DAY])
    def test_one_that_we_made_before_may_have(self, ago: timedelta) -> None:
        assert len(self.looked_at(self.unpinned(), self.sent(ago)).pins) == 2

    def test_one_that_our_regenerate_has_not_replaced_may_have_too(self) -> None:
        assert len(self.looked_at(self.unpinned(), self.sent(MINUTE, KEYS.key1)).pins) == 2

    @pytest.mark.parametrize(
        ("answered", "slot", "certain"),
        [
            (True, Slot.KEY1, True),
            (False, Slot.KEY1, False),
            (True, Slot.KEY2, False),
        ],
    )
    def test_a_value_is_certainly_gone_if_our_regenerate_was_answered(
        self, answered: bool, slot: Slot, certain: bool
    ) -> None:
        leaked = document(pins=(pin(OLD, slot),))
        found = self.looked_at(leaked, self.sent(MINUTE, answered=answered))
        assert (found.pins[0].gone_at, found.pins[0].gone) == (NOW, certain)

    def test_a_report_of_more_than_a_day_ago_waits_for_a_person(self) -> None:
        """Its document may have been restored."""
        late = document(begun_at=None, at=NOW - DAY - SECOND)
        assert self.looked_at(late).begun_at is None
        assert self.looked_at(document(begun_at=None, at=NOW - DAY)).begun_at == NOW

    def test_without_a_pin_it_has_not_begun(self) -> None:
        mine = replace(self.unpinned(), leaked=Leaked.KEY1)
        found = self.looked_at(mine, self.sent(MINUTE))
        assert (found.begun_at, found.audit) == (None, ())


class TestWithheld:
    """A secret that showed the key shortly before the report may belong to who took the key."""

    EARLY = Member(NOW - 90 * DAY)

    def withheld(self, member: Member, *more: Emergency, **document_: Any) -> Facts:
        f = facts(members={name("a"): member, name("b"): self.EARLY})
        return leaks.withheld(replace(f, emergencies=(document(**document_), *more)))

    def late(self, since: timedelta = -23 * HOUR, **more: Any) -> Member:
        return Member(NOW - HOUR + since, **{"shown": True, **more})

    def test_it_gets_nothing_until_a_person_names_it(self) -> None:
        f = self.withheld(self.late())
        assert [t.id.name for t in f.targets] == ["b"]
        assert [t.id.name for t in f.withdrawn] == ["a"]
        assert list(f.record.notes) == [name("a")]

    def test_the_other_withdrawn_secrets_and_notes_stay(self) -> None:
        f = facts(
            members={name("a"): self.late(), name("b"): self.EARLY}, notes={name("b"): "a note"}
        )
        f = replace(f, emergencies=(document(),), withdrawn=(target("c"),))
        f = leaks.withheld(f)
        assert [t.id.name for t in f.withdrawn] == ["c", "a"]
        assert f.record.notes[name("b")] == "a note"

    @pytest.mark.parametrize(
        ("since", "suspect"), [(-DAY, False), (-DAY + SECOND, True), (2 * HOUR, True)]
    )
    def test_shortly_is_less_than_a_day(self, since: timedelta, suspect: bool) -> None:
        assert bool(self.withheld(self.late(since)).withdrawn) is suspect

    def test_the_day_counts_from_the_first_report(self) -> None:
        earlier = document(id="e-2", at=NOW - 9 * DAY)
        assert self.withheld(self.late(-2 * DAY), earlier).withdrawn
        assert not self.withheld(self.late(-2 * DAY)).withdrawn

    def test_one_that_was_admitted_otherwise_is_not_suspect(self) -> None:
        assert not self.withheld(self.late(shown=False)).withdrawn

    def test_nor_is_one_that_the_person_named(self) -> None:
        assert not self.withheld(self.late(), secret=name("a")).withdrawn
        assert self.withheld(self.late(), secret=name("b")).withdrawn
        both = self.withheld(self.late(), document(id="e-2", secret=name("a")))
        assert not both.withdrawn

    def test_nor_one_without_a_member(self) -> None:
        f = facts(members={name("b"): self.EARLY})
        assert not leaks.withheld(replace(f, emergencies=(document(),))).withdrawn

    def test_if_all_are_new_so_is_the_enrolment(self) -> None:
        f = facts(members={name("a"): self.late(), name("b"): self.late()})
        assert not leaks.withheld(replace(f, emergencies=(document(),))).withdrawn

    def test_one_that_is_a_day_older_than_the_report_is_not_new(self) -> None:
        old = Member(NOW - HOUR - DAY)
        f = facts(members={name("a"): self.late(), name("b"): old})
        assert leaks.withheld(replace(f, emergencies=(document(),))).withdrawn

    def test_without_an_emergency_nothing_is_withheld(self) -> None:
        f = facts(members={name("a"): self.late(), name("b"): self.EARLY})
        assert leaks.withheld(f) is f


class TestAsked:
    """The record names exactly the emergencies that are open."""

    def asked(self, *found: Emergency, **record: Any) -> tuple[str, ...]:
        f = leaks.asked(replace(facts(**record), emergencies=found))
        return tuple(request.id for request in f.record.requests)

    def test_a_lost_request_is_asked_for_again(self) -> None:
        f = leaks.asked(replace(facts(requests=(MANUAL,)), emergencies=(document(),)))
        assert f.record.requests == (MANUAL, document().asking())

    def test_one_that_is_named_is_not_named_twice(self) -> None:
        f = replace(facts(requests=(emergency(),)), emergencies=(document(),))
        assert leaks.asked(f) is f

    def test_nor_one_that_runs(self) -> None:
        f = responding(Phase.REVOKE)
        assert leaks.asked(f) is f

    def test_one_that_is_closed_is_forgotten(self) -> None:
        closed = document(verdict=Verdict.REFUSED)
        assert self.asked(closed, requests=(emergency(), MANUAL)) == ("m-1",)

    def test_a_rotation_with_the_id_of_a_closed_one_is_kept(self) -> None:
        same = Request("e-1", RequestKind.MANUAL, "please", "bo", NOW)
        assert self.asked(document(verdict=Verdict.REFUSED), requests=(same,)) == ("e-1",)

    def test_one_that_has_not_begun_stays_as_it_is(self) -> None:
        waiting = document(begun_at=None)
        assert self.asked(waiting, requests=(emergency(),)) == ("e-1",)
        assert self.asked(waiting) == ()

    def test_one_without_a_document_is_kept(self) -> None:
        assert self.asked(document(id="e-9"), requests=(emergency(),)) == ("e-1", "e-9")


class TestLeakedSlots:
    def slots(self, *found: Emergency, **record: Any) -> frozenset[Slot]:
        return leaks.leaked_slots(replace(facts(**record), emergencies=found))

    def test_those_that_show_a_pinned_value_wherever_it_was_pinned(self) -> None:
        elsewhere = document(pins=(pin(KEYS.key2, Slot.KEY1),))
        assert self.slots(elsewhere) == {Slot.KEY2}
        assert self.slots(elsewhere, requests=(emergency(),)) == {Slot.KEY2}

    def test_those_of_all_that_have_begun(self) -> None:
        other = document(id="e-2", pins=(pin(KEYS.key2),))
        assert self.slots(document(), other) == {*Slot}
        assert self.slots(document(), replace(other, begun_at=None)) == {Slot.KEY1}
        assert self.slots(document(), replace(other, verdict=Verdict.REFUSED)) == {Slot.KEY1}

    def test_a_value_that_is_gone_is_nowhere(self) -> None:
        assert self.slots(document(pins=(pin(OLD),))) == frozenset()

    @pytest.mark.parametrize(
        ("leaked", "slots"),
        [
            (Leaked.KEY1, {Slot.KEY1}),
            (Leaked.KEY2, {Slot.KEY2}),
            (Leaked.UNKNOWN, {*Slot}),
        ],
    )
    def test_a_request_without_a_document_counts_by_what_it_names(
        self, leaked: Leaked, slots: set[Slot]
    ) -> None:
        assert self.slots(requests=(emergency(leaked), MANUAL)) == slots


def test_a_value_is_leaked_if_any_emergency_pins_it() -> None:
    f = replace(facts(), emergencies=(document(), document(pins=(pin(OLD),))))
    assert leaks.holds(f, KEYS.key1)
    assert leaks.holds(f, OLD)
    assert not leaks.holds(f, KEYS.key2)
    assert not leaks.holds(f, None)


class TestConcerning:
    """The emergencies of the running operation."""

    def test_its_own_open_or_not_and_all_that_have_begun(self) -> None:
        f = responding(Phase.REVOKE, op={"requests": ("e-2",)})
        own = document(verdict=Verdict.REFUSED), document(id="e-2", begun_at=None)
        begun, other = document(id="e-3"), document(id="e-4", begun_at=None)
        f = replace(f, emergencies=(*own, begun, other))
        assert leaks.concerning(f) == (*own, begun)

    def test_without_an_operation_those_that_have_begun(self) -> None:
        waiting = document(id="e-4", begun_at=None)
        f = replace(facts(), emergencies=(document(), waiting))
        assert leaks.concerning(f) == (document(),)


class TestPrepared:
    def test_open_ones_are_looked_at_and_closed_ones_are_not(self) -> None:
        closed = document(id="e-2", verdict=Verdict.REFUSED, pins=(pin(OLD),))
        gone = document(pins=(pin(OLD),))
        found = leaks.prepared(facts(), iter((closed, gone)), "fresh").emergencies
        assert found[0] == closed
        assert found[1].pins[0].gone_at == NOW

    def test_a_missing_document_is_made_and_pinned(self) -> None:
        found = leaks.prepared(facts(requests=(emergency(),)), (), "fresh").emergencies
        assert [(e.id, e.salt, len(e.pins)) for e in found] == [("e-1", "fresh", 1)]

    def test_a_known_one_is_not_made_again(self) -> None:
        f = facts(requests=(emergency(),))
        assert len(leaks.prepared(f, (document(),), "fresh").emergencies) == 1

    def test_suspect_secrets_are_withheld(self) -> None:
        members = {name("a"): Member(NOW, shown=True), name("b"): Member(NOW - 90 * DAY)}
        f = leaks.prepared(facts(members=members), (document(),), "fresh")
        assert [t.id.name for t in f.withdrawn] == ["a"]
