"""The effects of a planned operation, in the order in which they come."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.actions import Action, ActionKind
from rotation.decisions.facts import Facts
from rotation.domain.errors import Permanent
from rotation.domain.operation import Phase, Purpose
from rotation.domain.request import RequestKind
from rotation.service.replies.preview import PreviewReply
from rotation.service.views import effects
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, facts, rotation, target

from .shown import HOUR

ALL = [
    "Regenerate Key2; anything using it outside the vault stops working",
    "Verify that Key2 works and that a random key is refused",
    "Publish Key2 to a, b",
    "Both keys work for 26 hours after the last publish",
    "Regenerate Key1, which revokes the old key immediately",
    "Verify that the old Key1 is refused",
    "Disable versions of a, b that hold a revoked key",
]


def described(f: Facts, kind: ActionKind = ActionKind.SEND, **members: Any) -> PreviewReply:
    return effects.describe(f, Action(kind, "due", f.record, **members))


def planned(phase: Phase = Phase.REGENERATE, *targets: Any, **members: Any) -> Facts:
    return facts(*targets, phase=phase, operation=rotation(**members))


def test_the_next_step_is_described_with_all_effects_that_follow() -> None:
    assert described(planned(), not_before=NOW) == PreviewReply(
        account=str(ACCOUNT),
        secrets=["a", "b"],
        action="send",
        reason="due",
        until=NOW,
        effects=ALL,
    )


@pytest.mark.parametrize(
    ("phase", "left"), [(Phase.VERIFY, 6), (Phase.OVERLAP, 4), (Phase.CLEAN, 1)]
)
def test_phases_that_are_over_have_no_effect(phase: Phase, left: int) -> None:
    assert described(planned(phase)).effects == ALL[-left:]


@pytest.mark.parametrize(
    ("kind", "waits"),
    [(ActionKind.WAIT, True), (ActionKind.BLOCKED, True), (ActionKind.MOVE, False)],
)
def test_what_it_waits_for_comes_first(kind: ActionKind, waits: bool) -> None:
    found = described(planned(), kind).effects
    assert found == (["Waits first: due", *ALL] if waits else ALL)


def test_an_account_at_rest_has_no_effects() -> None:
    assert described(facts(), ActionKind.IDLE).effects == []


def test_only_the_secrets_that_lack_the_new_key_get_it() -> None:
    some = planned(Phase.PUBLISH, target("a"), target("b", KEYS.key2))
    assert described(some).effects[0] == "Publish Key2 to a"
    done = planned(Phase.PUBLISH, target("b", KEYS.key2))
    assert described(done).effects[0] == "Publish Key2 to b"


def test_without_a_key_to_revoke_the_publish_is_the_last_effect() -> None:
    assert described(planned(revoke=None)).effects == ALL[:3]


@pytest.mark.parametrize(
    ("purpose", "value", "says"),
    [
        (
            Purpose.EMERGENCY,
            KEYS.key1,
            "No overlap: consumers using the old key fail until they re-read the secret",
        ),
        (Purpose.EMERGENCY, KEYS.key2, "No overlap"),
        (Purpose.ROTATE, KEYS.key1, "No overlap"),
    ],
)
def test_without_an_overlap_the_consumers_of_an_emergency_are_warned(
    purpose: Purpose, value: Any, says: str
) -> None:
    f = planned(Phase.OVERLAP, target("a", value), purpose=purpose, overlap=0 * HOUR)
    assert described(f).effects[0] == says


def test_an_account_that_cannot_be_decided_about_is_blocked() -> None:
    exc = Permanent("refused", code="Forbidden", remedy="grant it")
    assert effects.describe_error(ACCOUNT, exc) == PreviewReply(
        account=str(ACCOUNT),
        secrets=[],
        action="blocked",
        reason="refused; grant it",
        until=None,
        effects=[],
    )


def test_an_answer_tells_what_it_will_do() -> None:
    record = planned(Phase.VERIFY).record
    resume, abandon = RequestKind.RESUME, RequestKind.ABANDON
    assert effects.describe_answer(facts().record, resume) == "Nothing: no operation is running"
    assert effects.describe_answer(record, resume) == "Resumes in verify: from where it stopped"
    waiting = replace(record, waiting="the probe")
    assert effects.describe_answer(waiting, resume) == "Resumes in verify: the probe"
    assert effects.describe_answer(record, abandon) == (
        "The operation ends in verify; both keys are left unchanged; the old Key1 is NOT revoked"
    )
    bare = planned(Phase.VERIFY, revoke=None).record
    assert effects.describe_answer(bare, abandon) == (
        "The operation ends in verify; both keys are left unchanged"
    )
