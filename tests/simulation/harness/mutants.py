"""Deliberate faults of the core. The simulation must find every one, or it has a hole.

Each takes one safeguard away. Some safeguards stand behind others, which alone keep consumers well
when the first one is gone; there the mutant takes away both, and its name says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core.pipeline.policies import AsyncRetryPolicy
from msgspec.structs import replace

from rotation.adapters import cognitive_services as accounts
from rotation.decisions import (
    emergency,
    guards,
    idle,
    lifecycle,
    progress,
    regeneration,
    revocation,
    rollout,
)
from rotation.decisions.actions import Action, enter
from rotation.decisions.facts import Facts
from rotation.domain.operation import Phase
from rotation.domain.policy import EffectivePolicy
from rotation.domain.probing import ProbeResult
from rotation.domain.request import RequestKind
from rotation.engine.effects import Effects
from rotation.engine.journal import Journal

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """What to change, and where the simulation is most likely to notice."""

    patches: Callable[[], list[Patch]]
    strategy: str


@contextmanager
def applied(name: str) -> Iterator[None]:
    """The core with this fault in it."""
    with ExitStack() as undo:
        for owner, member, changed in MUTANTS[name].patches():
            undo.callback(setattr, owner, member, getattr(owner, member))
            setattr(owner, member, changed)
        yield


def _publish_before_probe() -> list[Patch]:
    return [(Facts, "trusted", lambda f, key: True)]


def _no_negative_control() -> list[Patch]:
    def trusted(f: Facts, key: Any) -> bool | None:
        verdict = f.verdicts.get(key)
        return None if verdict is None else verdict.result is ProbeResult.ACCEPTED

    return [(Facts, "trusted", trusted)]


def _overwrite() -> Patch:
    async def save(journal: Journal, record: Any, tag: str | None) -> str:
        found = await journal._store.read(record.account.slug)
        return await original(journal, record, found.etag if found else None)

    original = Journal.save
    return (Journal, "save", save)


def _everybody() -> Patch:
    @asynccontextmanager
    async def lease(journal: Journal, account: Any) -> Any:
        yield True

    return (Journal, "lease", lease)


def _no_compare_and_swap() -> list[Patch]:
    return [_overwrite()]


def _no_lease_and_no_compare_and_swap() -> list[Patch]:
    return [_overwrite(), _everybody()]


def _sdk_retry_left_on() -> list[Patch]:
    def client(*args: Any, **options: Any) -> Any:
        retry = AsyncRetryPolicy(retry_total=3, retry_backoff_factor=0.1)
        options["policies"] = [*options["policies"][:-3], retry, *options["policies"][-3:]]
        return original(*args, **options)

    original: Any = vars(accounts)["CognitiveServicesManagementClient"]
    return [(accounts, "CognitiveServicesManagementClient", client)]


def _tags_trusted_instead_of_values() -> list[Patch]:
    return [(Facts, "slot_of", lambda f, target: target.enrolment.claimed)]


def _settled() -> list[Patch]:
    def without_intent(f: Facts) -> Facts:
        return replace(f, record=replace(f.record, intent=None))

    return [
        (module, "without_intent", without_intent)
        for module in (lifecycle, regeneration, emergency)
    ]


def _no_settle_time() -> list[Patch]:
    def until(f: Facts, slot: Any) -> None:
        return None

    return [(Facts, "quarantined_until", until)]


def _revoke_without_looking_again() -> list[Patch]:
    return [
        (revocation, "step_back", lambda f: None),
        (guards, "_published", lambda f, slot: None),
        (guards, "_unproven", lambda f, live: None),
    ]


def _clean_before_prove() -> list[Patch]:
    def prove(f: Facts) -> Action:
        return revocation._proven(f, "the old key is refused", by_use=True)

    from rotation.decisions import chain as decision

    return [(decision, "_PHASES", {**decision._PHASES, Phase.PROVE: prove})]


def _overlap_ignored_for_events() -> list[Patch]:
    def new(f: Facts, purpose: Any, candidate: Any, reason: str, wish: Any) -> Any:
        made = original(f, purpose, candidate, reason, wish)
        by_event = wish is not None and wish.kind is RequestKind.EXPIRY
        return replace(made, overlap=timedelta()) if by_event else made

    original = lifecycle.new_operation
    return [(idle, "new_operation", new)]


def _overlap_from_our_own_record() -> list[Patch]:
    def end(f: Facts) -> Any:
        return f.operation.phase_since + f.operation.overlap

    return [(module, "overlap_end", end) for module in (progress, rollout, revocation)] + [
        (guards, "_cached", lambda f, slot: None)
    ]


def _short_validity_allowed() -> list[Patch]:
    def of(cls: Any, targets: Any, policy: Any) -> EffectivePolicy:
        found = original(targets, policy)
        return dataclasses.replace(found, problems=())

    original = EffectivePolicy.of
    return [(EffectivePolicy, "of", classmethod(of))]


def _list_order_trusted_as_time() -> list[Patch]:
    def gave_way(f: Facts, version: Any) -> Any:
        own = [v for v in f.versions or () if v.target == version.target]
        return own[min(own.index(version) + 1, len(own) - 1)].created

    return [(Facts, "_replaced_at", gave_way)]


def _no_stored_intent() -> list[Patch]:
    async def save(journal: Journal, record: Any, tag: str | None) -> str:
        return await original(journal, replace(record, intent=None), tag)

    original = Journal.save
    return [(Journal, "save", save)]


def _regenerate_again_for_a_late_key() -> list[Patch]:
    return [
        (rollout, "_not_yet", lambda f: enter(f, Phase.REGENERATE, "try another one")),
    ]


def _go_on_after_a_failed_target() -> list[Patch]:
    def publish(f: Facts) -> Action:
        if f.operation.puts:
            return rollout._published(f)
        return original(f)

    from rotation.decisions import chain as decision

    original = rollout.publish
    return [
        (decision, "_PHASES", {**decision._PHASES, Phase.PUBLISH: publish}),
        (revocation, "step_back", lambda f: None),
        (rollout, "step_back", lambda f: None),
        (guards, "_published", lambda f, slot: None),
    ]


def _clean_whatever_is_not_the_latest() -> list[Patch]:
    def stale(f: Facts) -> Any:
        latest = {(target.id, target.version) for target in f.targets}
        every = [(v.target, v.version) for v in f.versions or () if v.value is not None]
        return tuple(version for version in every if version not in latest)

    return [(revocation, "stale_versions", stale)]


def _no_daily_cap() -> list[Patch]:
    return [(guards, "_capped", lambda f: None)]


def _an_answer_is_proof() -> list[Patch]:
    """A 5xx or a lost answer of a regenerate is taken for "nothing has happened"."""

    async def send(effects: Effects, facts: Facts, record: Any) -> None:
        from rotation.domain.errors import RotationError

        try:
            await original(effects, facts, record)
        except RotationError:
            await effects._amend_intent(record, record.intent, None)
            raise

    original = Effects._send
    return [(Effects, "_send", send)]


MUTANTS: Mapping[str, Mutant] = {
    "publish before probe": Mutant(_publish_before_probe, "seeds"),
    "no negative control of the probe": Mutant(_no_negative_control, "aimed"),
    "no compare-and-swap": Mutant(_no_compare_and_swap, "aimed"),
    "no lease and no compare-and-swap": Mutant(_no_lease_and_no_compare_and_swap, "seeds"),
    "SDK retry left on": Mutant(_sdk_retry_left_on, "wire"),
    "tags trusted instead of values": Mutant(_tags_trusted_instead_of_values, "seeds"),
    "no quarantine": Mutant(_settled, "faults"),
    "no settle time": Mutant(_no_settle_time, "faults"),
    "revoke without looking at the targets again": Mutant(_revoke_without_looking_again, "faults"),
    "clean before prove": Mutant(_clean_before_prove, "seeds"),
    "overlap ignored for events": Mutant(_overlap_ignored_for_events, "seeds"),
    "overlap from our own record": Mutant(_overlap_from_our_own_record, "seeds"),
    "expiry below 30 days allowed": Mutant(_short_validity_allowed, "seeds"),
    "list order trusted as time": Mutant(_list_order_trusted_as_time, "seeds"),
    "no stored intent": Mutant(_no_stored_intent, "faults"),
    "regenerate again for a late key": Mutant(_regenerate_again_for_a_late_key, "aimed"),
    "go on after a failed target": Mutant(_go_on_after_a_failed_target, "faults"),
    "clean whatever is not the latest": Mutant(_clean_whatever_is_not_the_latest, "seeds"),
    "no daily cap": Mutant(_no_daily_cap, "seeds"),
    "no answer means no effect": Mutant(_an_answer_is_proof, "faults"),
}
