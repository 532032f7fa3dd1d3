"""The first step of an emergency, and how it takes over a running rotation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action
from rotation.decisions.chain import decide
from rotation.domain.keys import Slot
from rotation.domain.operation import Operation, Phase, Purpose
from rotation.domain.record import Failure
from rotation.domain.request import Leaked
from rotation.domain.targets import Version

from .account import (
    KEYS,
    LONG_AGO,
    NOW,
    OLD,
    REFUSED,
    emergency,
    facts,
    rotation,
    running,
    seen,
    target,
)

HOUR = timedelta(hours=1)
PUBLISHED = (target("a", KEYS.key2), target("b", KEYS.key2))


def operation(action: Action | None) -> Operation:
    assert action is not None
    assert action.record.operation is not None
    return action.record.operation


class TestPlan:
    def test_a_spare_that_was_never_published_is_published_without_a_regenerate(self) -> None:
        action = decide(facts(requests=(emergency(),)))
        assert action.record.phase is Phase.VERIFY
        found = operation(action)
        assert (found.candidate, found.revoke) == (Slot.KEY2, Slot.KEY1)
        assert found.successes_needed == 1

    def test_so_is_one_that_was_published_before_if_it_works(self) -> None:
        """The leaked key must go; the spare is only suspected."""
        earlier = Version(target("a").id, "v0", LONG_AGO - HOUR, KEYS.key2)
        action = decide(facts(versions=(earlier,), requests=(emergency(),)))
        assert action.record.phase is Phase.VERIFY

    def test_a_spare_that_is_refused_is_regenerated_first(self) -> None:
        f = facts(requests=(emergency(),))
        refused = replace(f, verdicts={**f.verdicts, KEYS.key2: REFUSED})
        action = decide(refused)
        assert action.record.phase is Phase.REGENERATE
        assert operation(action).successes_needed == 2

    def test_unless_it_is_in_quarantine_and_so_may_be_new(self) -> None:
        quarantine = {Slot.KEY2: NOW + HOUR}
        f = facts(requests=(emergency(),), quarantine=quarantine)
        action = decide(replace(f, verdicts={**f.verdicts, KEYS.key2: REFUSED}))
        assert action.record.phase is Phase.VERIFY

    def test_the_spare_is_probed_before_that_is_decided(self) -> None:
        f = replace(facts(requests=(emergency(),)), verdicts={})
        assert decide(f).missing.probe == (KEYS.key2,)

    def test_if_both_keys_may_have_leaked_the_spare_is_regenerated_first(self) -> None:
        action = decide(facts(requests=(emergency(Leaked.UNKNOWN),)))
        assert action.record.phase is Phase.REGENERATE
        assert operation(action).candidate is Slot.KEY2

    def test_a_leaked_spare_is_revoked_at_once(self) -> None:
        action = decide(facts(requests=(emergency(Leaked.KEY2),)))
        assert action.record.phase is Phase.REVOKE
        found = operation(action)
        assert (found.candidate, found.revoke) == (Slot.KEY1, Slot.KEY2)
        assert found.value == KEYS.key1.fingerprint("salt")
        assert found.retired == KEYS.key2.fingerprint("salt")

    @pytest.mark.parametrize("overlap", [None, HOUR])
    def test_the_overlap_is_nothing_unless_the_person_asks_for_one(
        self, overlap: timedelta | None
    ) -> None:
        action = decide(facts(requests=(emergency(overlap=overlap),)))
        assert operation(action).overlap == (overlap or timedelta())


class TestRunning:
    @pytest.mark.parametrize(
        ("asked", "expected"),
        [(None, timedelta()), (HOUR, HOUR), (40 * HOUR, 26 * HOUR)],
    )
    def test_joining_a_rotation_never_keeps_its_long_overlap(
        self, asked: timedelta | None, expected: timedelta
    ) -> None:
        """The leaked key must not live for the day that the rotation had allowed it."""
        until = rotation(overlap_until=NOW + 20 * HOUR)
        f = running(Phase.REVOKE, until, *PUBLISHED, requests=(emergency(overlap=asked),))
        found = operation(decide(f))
        assert found.overlap == expected
        assert found.overlap_until == NOW - 6 * HOUR + expected
        assert found.id == "op-1"
        assert found.purpose is Purpose.EMERGENCY
        assert found.leaked is Leaked.KEY1
        assert found.requests == ("e-1",)
        assert found.asked_at == NOW

    def test_in_the_overlap_it_revokes_at_once(self) -> None:
        f = running(Phase.OVERLAP, rotation(), *PUBLISHED, requests=(emergency(),))
        action = decide(f)
        assert action.record.phase is Phase.REVOKE
        assert operation(action).overlap == timedelta()
        assert operation(action).id == "op-1"

    def test_joining_is_audited_and_ends_a_block(self) -> None:
        cause = Failure("code", "message", "remedy", NOW)
        f = running(Phase.REVOKE, rotation(), *PUBLISHED, requests=(emergency(),), blocked=cause)
        action = decide(f)
        assert action.record.blocked is None
        assert "ana" in operation(action).audit[-1].what

    def test_joining_an_emergency_keeps_the_time_of_the_first_report(self) -> None:
        first = rotation(purpose=Purpose.EMERGENCY, leaked=Leaked.KEY1, asked_at=NOW - HOUR)
        f = running(Phase.REVOKE, first, *PUBLISHED, requests=(emergency(),))
        assert operation(decide(f)).asked_at == NOW - HOUR

    def test_the_joined_request_and_its_idempotency_key_are_remembered(self) -> None:
        before = rotation(requests=("w-1",), idempotency_keys=("k-1",))
        request = emergency(idempotency_key="k-2")
        action = decide(running(Phase.REVOKE, before, *PUBLISHED, requests=(request,)))
        assert operation(action).requests == ("w-1", "e-1")
        assert operation(action).idempotency_keys == ("k-1", "k-2")
        assert action.record.requests == ()

    def test_a_revocation_of_the_other_key_does_not_cover_it(self) -> None:
        f = running(Phase.REVOKE, rotation(), *PUBLISHED, requests=(emergency(Leaked.KEY2),))
        found = operation(decide(f))
        assert found.revoke is Slot.KEY2
        assert found.candidate is Slot.KEY1


class TestDisabledSecret:
    def test_it_publishes_what_was_last_seen_in_the_same_version(self) -> None:
        disabled = target("a", None)
        assert facts(disabled).slot_of(disabled) is Slot.KEY1

    def test_a_newer_version_may_hold_anything(self) -> None:
        """It may have been written and disabled between two visits."""
        disabled = target("a", None, version="v2")
        f = facts(disabled)
        assert f.slot_of(disabled) is None
        assert f.unreadable == (disabled,)

    def test_so_does_a_version_that_was_seen_with_a_former_key(self) -> None:
        disabled = target("a", None)
        f = facts(disabled, seen={"https://kv/secrets/a": seen(OLD)})
        assert f.slot_of(disabled) is None
