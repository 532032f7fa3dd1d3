"""Every mutant by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from . import decisions, effects, emergencies, readings, trust
from .patches import Patch, patched

TRUST = "tests/integration/trust/"
RESTING = "tests/unit/engine/test_resting.py"
IDLE = "tests/integration/wire/test_idle_sweep.py"
HELD = "tests/unit/engine/test_held_records.py"
READINGS = "tests/unit/engine/test_recent.py"


@dataclass(frozen=True)
class Mutant:
    """``strategy`` is the one that is likeliest to find it.

    ``suite``: a file of tests finds it instead, because the simulation's people cannot
    cause it, or because it only costs time.
    """

    patches: Callable[[], list[Patch]]
    strategy: str = ""
    suite: str = ""


@contextmanager
def applied(name: str) -> Iterator[None]:
    """Apply a mutant."""
    with patched(MUTANTS[name].patches()):
        yield


MUTANTS: Mapping[str, Mutant] = {
    "publish before probe": Mutant(decisions.publish_before_probe, "seeds"),
    "no negative control of the probe": Mutant(decisions.no_negative_control, "aimed"),
    "no compare-and-swap": Mutant(effects.no_compare_and_swap, "aimed"),
    "no lease and no compare-and-swap": Mutant(effects.no_lease_and_no_compare_and_swap, "seeds"),
    "SDK retry left on": Mutant(effects.sdk_retry_left_on, "wire"),
    "tags trusted instead of values": Mutant(decisions.tags_trusted_instead_of_values, "seeds"),
    "no quarantine": Mutant(decisions.no_quarantine, "faults"),
    "no settle time": Mutant(decisions.no_settle_time, "faults"),
    "clean before prove": Mutant(decisions.clean_before_prove, "seeds"),
    "overlap ignored for the schedule": Mutant(decisions.overlap_ignored_for_the_schedule, "seeds"),
    "overlap from our own record": Mutant(decisions.overlap_from_our_own_record, "seeds"),
    "a secret is always due": Mutant(decisions.always_due, "seeds"),
    "list order trusted as time": Mutant(decisions.list_order_trusted_as_time, "versions"),
    "revoke without checking the targets again": Mutant(
        decisions.revoke_without_checking_again, "interrupted"
    ),
    "no stored intent": Mutant(effects.no_stored_intent, "faults"),
    "regenerate again for a late key": Mutant(decisions.regenerate_again_for_a_late_key, "aimed"),
    "go on after a failed target": Mutant(decisions.go_on_after_a_failed_target, "faults"),
    "clean all versions but the latest": Mutant(decisions.clean_all_but_the_latest, "seeds"),
    "no daily cap": Mutant(decisions.no_daily_cap, "seeds"),
    "bindings not checked": Mutant(trust.bindings_not_checked, "isolation"),
    "placeholder admitted in a shared vault": Mutant(trust.placeholder_admitted, "trust"),
    "foreign value overwritten": Mutant(trust.foreign_value_overwritten, "trust"),
    "version without tags unenrols": Mutant(trust.untagged_version_unenrols, "isolation"),
    "overlap restarts on rewriting": Mutant(trust.overlap_restarts_on_rewriting, "isolation"),
    "split decided by majority": Mutant(
        trust.split_decided_by_majority, suite="tests/unit/decisions/test_idle.py"
    ),
    "repair cap per account": Mutant(trust.repair_cap_per_account, "trust"),
    "circuit breaker for the fleet": Mutant(
        trust.breaker_for_the_fleet, suite="tests/integration/wire/test_service.py"
    ),
    "emergency stopped by an unreadable vault": Mutant(
        trust.emergency_stopped_by_an_unreadable_vault, "trust"
    ),
    "holds without a bound": Mutant(trust.holds_without_bound, suite=TRUST + "test_holds.py"),
    "odd tags overflow": Mutant(trust.odd_tags_overflow, suite=TRUST + "test_isolation.py"),
    "unreadable document stops the sweep": Mutant(
        trust.unreadable_document_stops_the_sweep, suite=TRUST + "test_isolation.py"
    ),
    "unreadable vault reads as not enrolled": Mutant(
        trust.unreadable_vault_is_not_enrolled, suite=TRUST + "test_unknown.py"
    ),
    "event starts a rotation": Mutant(trust.event_starts_a_rotation, "isolation"),
    "no seven days between rotations": Mutant(trust.no_seven_days, "isolation"),
    "no response means no effect": Mutant(effects.no_response_means_no_effect, "faults"),
    "emergency by slot": Mutant(emergencies.by_slot_instead_of_value, "emergencies"),
    "restored document ends revoked": Mutant(
        emergencies.restored_document_ends_revoked, "emergencies"
    ),
    "restored document acts": Mutant(emergencies.restored_document_acts, "emergencies"),
    "restored record ends revoked": Mutant(
        emergencies.restored_record_ends_revoked, suite=TRUST + "test_proof.py"
    ),
    "remembered pins trusted": Mutant(
        emergencies.remembered_pins_trusted, suite=TRUST + "test_emergencies.py"
    ),
    "record decides which emergencies are open": Mutant(
        emergencies.record_decides_what_is_open, "emergencies"
    ),
    "suspects receive the key": Mutant(emergencies.suspects_receive_the_key, "suspects"),
    "emergency answered by an operator": Mutant(emergencies.answered_by_an_operator, "emergencies"),
    "emergency stopped by a plain request's key": Mutant(
        emergencies.stopped_by_a_plain_request_s_key, "emergencies"
    ),
    "one key, two emergencies": Mutant(emergencies.one_key_two_emergencies, "emergencies"),
    "bulk refused because of a vault": Mutant(
        emergencies.refused_because_of_a_vault, "emergencies"
    ),
    "bulk refused because of a count": Mutant(
        emergencies.refused_because_of_a_count, "emergencies"
    ),
    "refused successor published": Mutant(
        emergencies.refused_successor_published, suite=TRUST + "test_emergencies.py"
    ),
    "emergency stopped by another writer": Mutant(
        emergencies.stopped_by_another_writer, suite=TRUST + "test_emergencies.py"
    ),
    "emergency stopped by the daily cap": Mutant(
        emergencies.stopped_by_the_daily_cap, suite=TRUST + "test_emergencies.py"
    ),
    "emergency stopped by a failed account": Mutant(
        emergencies.stopped_by_a_failed_account, suite=TRUST + "test_emergencies.py"
    ),
    "emergency silent while it waits": Mutant(
        emergencies.silent_while_it_waits, suite=TRUST + "test_emergency_requests.py"
    ),
    "readings kept between visits": Mutant(readings.kept_between_visits, "seeds"),
    "nothing read before a regenerate": Mutant(
        readings.not_read_before_a_regenerate, suite=READINGS
    ),
    "keys kept after a regenerate": Mutant(readings.keys_kept_after_a_regenerate, suite=READINGS),
    "verdicts kept after a regenerate": Mutant(
        readings.verdicts_kept_after_a_regenerate, suite=READINGS
    ),
    "an account rests for ever": Mutant(readings.rest_for_ever, suite=RESTING),
    "an account rests without a probe": Mutant(readings.rest_without_a_probe, suite=RESTING),
    "key in the answer published": Mutant(
        readings.answer_published, suite="tests/unit/engine/test_reconciler.py"
    ),
    "wake-up missed by a sweep": Mutant(
        readings.wake_up_missed_by_a_sweep, suite="tests/unit/service/test_comparison.py"
    ),
    "unsettled times trusted": Mutant(readings.unsettled_times_trusted, suite=RESTING),
    "index of a record with work": Mutant(
        readings.index_of_a_record_with_work, suite="tests/unit/domain/test_standing.py"
    ),
    "settings left out of the index": Mutant(readings.settings_left_out_of_the_index, suite=IDLE),
    "turns never come": Mutant(readings.turns_never_come, suite=IDLE),
    "left copy not confirmed": Mutant(readings.left_copy_not_confirmed, suite=HELD),
    "notes lost in a conflict": Mutant(readings.notes_lost_in_a_conflict, suite=HELD),
    "handed keys always serve": Mutant(
        readings.handed_keys_always_serve, suite="tests/unit/engine/test_handover.py"
    ),
    "late listing adopted": Mutant(
        readings.late_listing_adopted, suite="tests/unit/engine/test_reconciler.py"
    ),
    "secrets kept after a publish": Mutant(readings.secrets_kept_after_a_publish, suite=READINGS),
}
