"""A violation made small: whatever can be left out of its plan is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import many
from .checker import Violation
from .plans import Plan


def violation(plan: Plan) -> Violation | None:
    """How the plan fails, or None."""
    try:
        many.run(plan)
    except Violation as found:
        return found
    return None


def shrunk(plan: Plan) -> Plan:
    """The smallest plan found that still fails, in whatever way."""
    smaller = next((p for p in _smaller(plan) if violation(p)), None)
    return shrunk(smaller) if smaller else plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """One thing less, the largest things first."""
    if plan.accounts > 1:
        yield replace(plan, accounts=1)
    if len(plan.skews) > 1:
        yield replace(plan, skews=plan.skews[:-1])
    yield from (plan.without(happening) for happening in plan.happenings)
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
