"""Secrets that an emergency publishes to in a step, and those that it gives up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.operation import Attempt, Phase, Purpose
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.targets import Target

from .account import KEYS, NOW, OLD, rotation, running, seen, target

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SHOWN = target("a")
A = str(SHOWN.id)


def publishing(attempt: Attempt, shown: Target = SHOWN) -> Facts:
    """Return an emergency that has published to ``b``, and not to ``a``."""
    operation = rotation(
        purpose=Purpose.EMERGENCY,
        phase_since=NOW - 20 * MINUTE,
        attempts={str(shown.id): attempt},
        unproven=True,
    )
    return running(Phase.PUBLISH, operation, shown, target("b", KEYS.key2))


def tries(f: Facts) -> bool:
    return decide(f).kind is ActionKind.PUBLISH


@pytest.mark.parametrize(("ago", "tried"), [(4, False), (5, True), (59, True)])
def test_a_secret_that_may_heal_is_tried_every_few_seconds(ago: int, tried: bool) -> None:
    failed = Attempt(NOW - MINUTE, NOW - ago * SECOND, "ServiceUnavailable")
    assert tries(publishing(failed)) is tried


@pytest.mark.parametrize(("ago", "tried"), [(5, False), (59, False), (60, True), (1800, True)])
def test_one_that_was_given_up_is_tried_again_if_nothing_happened_for_a_while(
    ago: int, tried: bool
) -> None:
    """For example because the queue was down."""
    f = publishing(Attempt(NOW - 30 * MINUTE, NOW - ago * SECOND, "ServiceUnavailable"))
    assert tries(f) is tried
    assert tried or decide(f).record.phase is Phase.OVERLAP


def test_one_that_cannot_heal_is_not_tried_again() -> None:
    gone = Attempt(NOW - 15 * MINUTE, NOW - 15 * MINUTE, "Forbidden", hopeless=True)
    assert not tries(publishing(gone))


def test_a_disabled_version_that_nobody_has_read_is_left_alone_at_once() -> None:
    """It may hold a password, and only a person can enable it."""
    unread = target("a", None, version="v9")
    f = publishing(Attempt(NOW, NOW - MINUTE, "ServiceUnavailable"), unread)
    action = decide(f)
    assert action.record.phase is Phase.OVERLAP
    assert action.record.operation is not None
    assert action.record.operation.attempts[A].hopeless


def test_one_that_was_read_before_is_written_to() -> None:
    assert tries(publishing(Attempt(NOW - MINUTE, NOW - MINUTE, "x"), target("a", None)))


def test_a_value_that_turns_out_to_be_a_former_key_is_overwritten_after_all() -> None:
    """No probe could tell; after ten minutes it is certain that it is neither key."""
    f = publishing(Attempt(NOW - 6 * MINUTE, NOW - SECOND, "foreign-value"), target("a", OLD))
    silent = {key: ProbeVerdict(ProbeResult.INCONCLUSIVE) for key in (OLD, *f.verdicts)}
    known = {**f.record.seen, A: seen(OLD, since=NOW - 11 * MINUTE)}
    assert tries(replace(f, record=replace(f.record, seen=known), verdicts=silent))
    assert not tries(replace(f, verdicts=silent))
