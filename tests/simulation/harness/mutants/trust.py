"""Mutants of trust: each lets a neighbour steal, steer or stop something."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rotation.decisions import (
    due,
    emergency,
    holds,
    idle,
    membership,
    overlaps,
    revocation,
    rollout,
    values,
)
from rotation.decisions.actions import Action, unread
from rotation.decisions.facts import Facts
from rotation.domain import tags
from rotation.domain.bindings import Bindings, Bound
from rotation.domain.request import Request, RequestKind
from rotation.engine import gatherer
from rotation.engine.inventory import Inventory
from rotation.service import inbox
from rotation.service.notices import Notices
from rotation.service.sweep import Sweep

from .patches import Patch


def bindings_not_checked() -> list[Patch]:
    """Membership checks them at admission and before each step that publishes: both are gone."""
    return [(Bindings, "of", lambda bindings, target, account: Bound.NAMED)]


def placeholder_admitted() -> list[Patch]:
    def refusal(c: Any, snapshot: Any) -> str:
        found = original(c, snapshot)
        return "" if c.bindings.of(snapshot.id, c.account) is Bound.BROAD else found

    original = membership._refusal
    return [(membership, "_refusal", refusal)]


def foreign_value_overwritten() -> list[Patch]:
    return [
        (membership, "_is_foreign", lambda c, target: False),
        (values, "overwritable", lambda f, target: True),
    ]


def untagged_version_unenrols() -> list[Patch]:
    def settle(c: Any, snapshots: Any, deleted: Any = ()) -> Any:
        found = [*snapshots]
        gone = [s.id for s in found if tags.account_of(s.tags) is None and c.member(s.id)]
        return original(c, [s for s in found if s.id not in gone], [*deleted, *gone])

    original = membership.settle
    return [(gatherer, "settle", settle)]


def overlap_restarts_on_rewriting() -> list[Patch]:
    def end(f: Facts) -> Any:
        return max(target.created for target in f.targets) + f.operation.overlap

    return [
        (module, "overlap_end", end)
        for module in (overlaps, rollout, revocation)
        if hasattr(module, "overlap_end")
    ]


def split_decided_by_majority() -> list[Patch]:
    return [(idle, "_ours_first", idle._claimed_first)]


def repair_cap_per_account() -> list[Patch]:
    original = holds.resting_until

    def resting_until(f: Facts, target: Any) -> Any:
        recent = [r for r in f.record.repairs.values() if r.at > f.now - timedelta(days=1)]
        is_capped = sum(repair.count for repair in recent) >= 3
        return f.now + timedelta(days=1) if is_capped else original(f, target)

    return [(holds, "resting_until", resting_until)]


def breaker_for_the_fleet() -> list[Patch]:
    def fault(sweep: Sweep, outcomes: list[Any]) -> str:
        failed = [each for each in outcomes if each.failure]
        return "all failed" if outcomes and len(failed) == len(outcomes) else ""

    return [(Sweep, "_fault", fault)]


def emergency_stopped_by_an_unreadable_vault() -> list[Patch]:
    def stopped(f: Facts) -> Action | None:
        return unread(f) or original(f)

    original = emergency.decide
    return [(emergency, "decide", stopped)]


def event_starts_a_rotation() -> list[Patch]:
    async def look(notices: Notices, event: Any) -> Any:
        found = await original(notices, event)
        if hasattr(found, "account"):
            account, now = found.account, notices.visits.clock.now()
            asked = Request(inbox.new_id(account), RequestKind.MANUAL, "an event", "grid", now)
            await notices.journal.amend(account, lambda record: inbox.added(record, asked))
        return found

    original = Notices._to_look_at
    return [(Notices, "_to_look_at", look)]


def no_seven_days() -> list[Patch]:
    """A hand-edited expiry counts, too: alone, neither safeguard's absence has an effect."""
    return [(due, "APART", timedelta()), (due, "counting_expiry", lambda dated: dated.expires)]


def holds_without_bound() -> list[Patch]:
    """A hold always counts, so that no secret is left behind and no binding ends."""
    return [(holds, "counts", lambda f, target: True)]


def odd_tags_overflow() -> list[Patch]:
    return [(tags, "_days", lambda text: timedelta(days=int(text)))]


def unreadable_document_stops_the_sweep() -> list[Patch]:
    async def find(sweep: Sweep, slug: str) -> Any:
        return await sweep.journal.find(slug)

    return [(Sweep, "_find", find)]


def unreadable_vault_is_not_enrolled() -> list[Patch]:
    async def check_readable(inventory: Inventory) -> None:
        pass

    return [(Inventory, "check_readable", check_readable)]
