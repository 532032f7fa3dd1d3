"""Repairs of secrets that publish no current key, and their limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.decisions.guards import SOON
from rotation.decisions.values import APART, overwritable, repairable_from, repaired
from rotation.domain.evidence import Readers
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Phase, Purpose
from rotation.domain.probing import ProbeVerdict
from rotation.domain.record import Repair

from .account import (
    ACCEPTED,
    INCONCLUSIVE,
    KEYS,
    NOW,
    OLD,
    REFUSED,
    facts,
    rotation,
    running,
    seen,
    target,
)

DAY = timedelta(days=1)
SECRET = "https://kv/secrets/a"


def broken(verdict: ProbeVerdict = REFUSED, **record: Any) -> Facts:
    """Return an account with one secret that publishes neither key."""
    f = facts(target("a", OLD), target("b"), **record)
    return replace(f, verdicts={**f.verdicts, OLD: verdict})


def test_a_revoked_key_is_replaced_by_the_key_that_the_other_secrets_publish() -> None:
    action = decide(broken())
    assert action.record.phase is Phase.VERIFY
    assert action.record.operation is not None
    assert action.record.operation.purpose is Purpose.REPAIR
    assert action.record.operation.candidate is Slot.KEY1
    assert action.record.operation.successes_needed == 1


def test_a_value_that_works_is_never_overwritten() -> None:
    """Its consumers are not broken; somebody means it."""
    action = decide(broken(ACCEPTED))
    assert action.kind is ActionKind.BLOCKED
    assert action.record.operation is None
    assert "works" in action.reason


def test_after_a_while_the_account_goes_on_without_it_and_says_so() -> None:
    f = broken(ACCEPTED, seen={SECRET: seen(OLD, since=NOW - APART)})
    action = decide(f)
    assert action.kind is ActionKind.IDLE
    assert "works" in action.record.notes[SECRET]
    assert decide(broken(ACCEPTED, seen={SECRET: seen(OLD, since=NOW)})).kind is ActionKind.BLOCKED


def test_a_running_rotation_goes_on_without_it_too() -> None:
    """Otherwise it would publish and wait in turns, for ever."""
    moved = seen(OLD, since=NOW - APART)
    f = running(
        Phase.OVERLAP,
        rotation(overlap_until=NOW),
        target("a", OLD),
        target("b", KEYS.key2),
        seen={SECRET: moved},
    )
    action = decide(replace(f, verdicts={**f.verdicts, OLD: ACCEPTED}, readers=Readers()))
    assert action.record.phase is Phase.REVOKE


def test_a_secret_that_is_put_on_the_other_key_again_and_again_is_repaired_later_each_time() -> (
    None
):
    ours = KEYS.key2.fingerprint("salt")
    often = {SECRET: Repair(3, NOW - timedelta(minutes=14))}
    f = facts(target("a"), target("b", KEYS.key2), repairs=often, published=ours)
    action = decide(f)
    assert action.kind is ActionKind.BLOCKED
    assert "overwritten repeatedly" in action.reason
    assert action.not_before == NOW + timedelta(minutes=1)
    elsewhere = facts(
        target("a"),
        target("b", KEYS.key2),
        repairs={"https://kv/secrets/b": Repair(9, NOW)},
        published=ours,
    )
    assert decide(elsewhere).record.phase is Phase.VERIFY


def test_nothing_is_written_to_a_secret_whose_vault_was_not_listed_completely() -> None:
    f = broken()
    action = decide(replace(f, undecided=f.targets))
    assert action.record.operation is None


def test_one_value_that_works_is_named_beside_one_that_nobody_can_judge() -> None:
    unknown = Key("d" * 32)
    f = facts(target("a", OLD), target("b", unknown))
    action = decide(replace(f, verdicts={**f.verdicts, OLD: ACCEPTED, unknown: INCONCLUSIVE}))
    assert action.kind is ActionKind.BLOCKED
    assert "works" in action.reason
    assert action.not_before == NOW + SOON


def test_a_value_that_nobody_can_judge_is_left_for_now() -> None:
    action = decide(broken(INCONCLUSIVE, seen={SECRET: seen(OLD, since=NOW)}))
    assert action.kind is ActionKind.BLOCKED
    assert action.not_before == NOW + SOON


@pytest.mark.parametrize("missing", [KEYS.key1, KEYS.key2])
def test_both_keys_are_probed_before_a_repair(missing: Key) -> None:
    f = broken()
    known = {key: verdict for key, verdict in f.verdicts.items() if key != missing}
    action = decide(replace(f, verdicts=known))
    assert action.kind is ActionKind.ASK
    assert {KEYS.key1, KEYS.key2} <= {*action.missing.probe}


def test_a_version_without_our_tags_needs_no_probe() -> None:
    """Membership has admitted its value as a former key of the account."""
    f = facts(target("a", OLD, tagged=False), target("b"))
    assert overwritable(replace(f, verdicts={}), f.targets[0])


def test_a_secret_that_nobody_saw_before_is_not_known_as_neither_key() -> None:
    f = broken(INCONCLUSIVE, seen={"https://kv/secrets/b": seen()})
    assert decide(f).kind is ActionKind.BLOCKED


def test_nor_is_it_by_a_repair_of_another_secret() -> None:
    repair = rotation(purpose=Purpose.REPAIR, candidate=Slot.KEY1, revoke=None)
    repair = replace(repair, value=KEYS.key1.fingerprint("salt"))
    f = running(Phase.PUBLISH, repair, target("a", Key("d" * 32)), target("b", OLD))
    f = replace(f, verdicts={**f.verdicts, Key("d" * 32): ACCEPTED})
    action = decide(f)
    assert action.kind is ActionKind.PUBLISH
    assert [found.name for found in action.targets] == ["b"]


def test_a_value_that_no_probe_has_judged_is_probed_first() -> None:
    f = broken()
    unknown = {key: verdict for key, verdict in f.verdicts.items() if key != OLD}
    action = decide(replace(f, verdicts=unknown))
    assert action.kind is ActionKind.ASK
    assert OLD in action.missing.probe


@pytest.mark.parametrize(
    ("since", "version", "repaired"),
    [
        (NOW - APART, "v1", True),
        (NOW - APART + timedelta(seconds=1), "v1", False),
        (NOW - APART, "v0", False),
        (None, "v1", False),
    ],
)
def test_without_a_verdict_the_value_must_have_been_neither_key_for_a_while(
    since: object, version: str, repaired: bool
) -> None:
    f = broken(INCONCLUSIVE, seen={SECRET: seen(OLD, version, since=since)})
    assert (decide(f).record.phase is Phase.VERIFY) is repaired


@pytest.mark.parametrize(
    ("count", "minutes_ago", "repairs"),
    [(2, 0, True), (3, 14, False), (3, 15, True), (4, 29, False), (4, 30, True), (9, 959, False)],
)
def test_after_three_repairs_the_next_must_wait_longer_each_time(
    count: int, minutes_ago: int, repairs: bool
) -> None:
    """Otherwise another writer and this service would overwrite each other for ever."""
    last = Repair(count, NOW - timedelta(minutes=minutes_ago))
    action = decide(broken(repairs={SECRET: last}))
    assert (action.record.phase is Phase.VERIFY) is repairs


def test_the_longest_delay_is_a_day() -> None:
    assert repairable_from(Repair(30, NOW)) == NOW + DAY


def test_each_secret_has_its_own_count() -> None:
    action = decide(broken(repairs={"https://kv/secrets/b": Repair(9, NOW)}))
    assert action.record.phase is Phase.VERIFY


def test_repairs_in_a_row_are_counted_and_two_quiet_days_end_the_row() -> None:
    assert repaired(None, NOW) == Repair(1, NOW)
    assert repaired(Repair(3, NOW - 2 * DAY), NOW) == Repair(4, NOW)
    assert repaired(Repair(3, NOW - 2 * DAY - timedelta(seconds=1)), NOW) == Repair(1, NOW)


def test_a_finished_repair_is_counted_for_the_secrets_that_it_wrote() -> None:
    repair = rotation(purpose=Purpose.REPAIR, candidate=Slot.KEY1, revoke=None)
    repair = replace(repair, value=KEYS.key1.fingerprint("salt"), puts={SECRET: "v1"})
    before = {SECRET: Repair(2, NOW - timedelta(minutes=1))}
    action = decide(running(Phase.PUBLISH, repair, repairs=before))
    assert action.record.phase is Phase.IDLE
    assert action.record.repairs == {SECRET: Repair(3, NOW)}


def test_blanks_around_a_key_are_repaired_to_the_same_key() -> None:
    padded = facts(target("a", Key(" " + "b" * 32 + "\n")))
    action = decide(padded)
    assert action.record.operation is not None
    assert action.record.operation.candidate is Slot.KEY2


def test_secrets_on_different_keys_get_the_key_that_was_published_last() -> None:
    published = KEYS.key2.fingerprint("salt")
    action = decide(facts(target("a"), target("b", KEYS.key2), published=published))
    assert action.record.operation is not None
    assert action.record.operation.purpose is Purpose.REPAIR
    assert action.record.operation.candidate is Slot.KEY2


def test_a_key_in_quarantine_is_not_published_by_a_repair() -> None:
    action = decide(broken(quarantine={Slot.KEY1: NOW + DAY}))
    assert action.record.operation is not None
    assert action.record.operation.candidate is Slot.KEY2
