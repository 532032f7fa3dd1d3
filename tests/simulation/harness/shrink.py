"""A violation made small: whatever can be left out of its plan is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import plan_runner
from .checker import Violation
from .plan import Plan


def find_violation(plan: Plan) -> Violation | None:
    """How the plan fails, or None."""
    try:
        plan_runner.run_plan(plan)
    except Violation as found:
        return found
    return None


def shrink(plan: Plan) -> Plan:
    """The smallest plan found that still fails, in whatever way."""
    smaller = next((p for p in _smaller(plan) if find_violation(p)), None)
    return shrink(smaller) if smaller else plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """One thing less, the largest things first."""
    if plan.accounts > 1:
        yield replace(plan, accounts=1)
    if len(plan.skews) > 1:
        yield replace(plan, skews=plan.skews[:-1])
    yield from (plan.without(event) for event in plan.events)
    if plan.targets > 1:
        yield replace(plan, targets=plan.targets - 1)
    simpler = (
        replace(plan, vaults=1),
        replace(plan, stale=0),
        replace(plan, latency=0.0),
        replace(plan, new_key_delay=0),
        replace(plan, old_key_lag=0),
        replace(plan, kind="OpenAI"),
    )
    yield from (candidate for candidate in simpler if candidate != plan)
