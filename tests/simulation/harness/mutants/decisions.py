"""Mutants of the decisions: each returns the patches that remove a safeguard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from rotation.decisions import (
    chain,
    due,
    emergency,
    guards,
    idle,
    lifecycle,
    overlaps,
    regeneration,
    revocation,
    rollout,
)
from rotation.decisions.actions import Action, enter
from rotation.decisions.facts import Facts
from rotation.domain.operation import Phase
from rotation.domain.probing import ProbeResult

from .patches import Patch


def publish_before_probe() -> list[Patch]:
    return [(Facts, "trusted", lambda f, key: True)]


def no_negative_control() -> list[Patch]:
    def trusted(f: Facts, key: Any) -> bool | None:
        verdict = f.verdicts.get(key)
        return None if verdict is None else verdict.result is ProbeResult.ACCEPTED

    return [(Facts, "trusted", trusted)]


def tags_trusted_instead_of_values() -> list[Patch]:
    return [(Facts, "slot_of", lambda f, target: target.enrolment.claimed)]


def no_quarantine() -> list[Patch]:
    def without_intent(f: Facts) -> Facts:
        return replace(f, record=replace(f.record, intent=None))

    return [
        (module, "without_intent", without_intent)
        for module in (lifecycle, regeneration, emergency)
    ]


def no_settle_time() -> list[Patch]:
    def until(f: Facts, slot: Any) -> None:
        return None

    return [(Facts, "quarantined_until", until)]


def revoke_without_checking_again() -> list[Patch]:
    return [
        (revocation, "step_back", lambda f: None),
        (guards, "_published", lambda f, slot: None),
        (guards, "_unproven", lambda f, live: None),
    ]


def clean_before_prove() -> list[Patch]:
    def prove(f: Facts) -> Action:
        return revocation._revoked(f)

    return [(chain, "_PHASES", {**chain._PHASES, Phase.PROVE: prove})]


def overlap_ignored_for_the_schedule() -> list[Patch]:
    def new(f: Facts, purpose: Any, candidate: Any, reason: str, request: Any) -> Any:
        made = original(f, purpose, candidate, reason, request)
        return made if request else replace(made, overlap=timedelta())

    original = lifecycle.new_operation
    return [(idle, "new_operation", new)]


def overlap_from_our_own_record() -> list[Patch]:
    def end(f: Facts) -> Any:
        return f.operation.phase_since + f.operation.overlap

    return [(module, "overlap_end", end) for module in (overlaps, rollout, revocation)] + [
        (guards, "_cached", lambda f, slot: None)
    ]


def always_due() -> list[Patch]:
    return [(due, "due_at", lambda dated: dated.birth)]


def list_order_trusted_as_time() -> list[Patch]:
    def replaced_at(f: Facts, version: Any) -> Any:
        own = [v for v in f.versions or () if v.target == version.target]
        return own[min(own.index(version) + 1, len(own) - 1)].created

    return [(Facts, "_replaced_at", replaced_at)]


def regenerate_again_for_a_late_key() -> list[Patch]:
    return [
        (rollout, "_not_yet", lambda f: enter(f, Phase.REGENERATE, "try another one")),
    ]


def go_on_after_a_failed_target() -> list[Patch]:
    def publish(f: Facts) -> Action:
        if f.operation.puts:
            return rollout._published(f)
        return original(f)

    original = rollout.publish
    return [
        (chain, "_PHASES", {**chain._PHASES, Phase.PUBLISH: publish}),
        (revocation, "step_back", lambda f: None),
        (rollout, "step_back", lambda f: None),
        (guards, "_published", lambda f, slot: None),
    ]


def clean_all_but_the_latest() -> list[Patch]:
    def stale(f: Facts) -> Any:
        latest = {(target.id, target.version) for target in f.targets}
        every = [(v.target, v.version) for v in f.versions or () if v.value is not None]
        return tuple(version for version in every if version not in latest)

    return [(revocation, "stale_versions", stale)]


def no_daily_cap() -> list[Patch]:
    return [(guards, "_capped", lambda f: None)]
