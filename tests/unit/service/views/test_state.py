"""The state of a secret: the worst of what is known about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from msgspec import structs

from rotation.domain.keys import Slot
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import Failure, ObservedVersion
from rotation.service.replies.fleet import SecretState as State
from rotation.service.views.state import state_of, state_of_member

from .shown import FAILURE, HOUR, LISTED, NOW, REQUEST, TAGS, TARGET, operation, record

DISABLED = structs.replace(FAILURE, code="LocalAuthDisabled")
KNOWN = {"known_keys": {Slot.KEY1: "one", Slot.KEY2: "two"}, "published": "two"}
DEAD = {**KNOWN, "seen": {str(TARGET): ObservedVersion("v", "gone")}}
OTHER = {**KNOWN, "seen": {str(TARGET): ObservedVersion("v", "one")}}
REPAIR = operation(purpose=Purpose.REPAIR)


def state(
    due_at: datetime = NOW + HOUR, tags: dict[str, str] | None = None, **members: Any
) -> State:
    listed = replace(LISTED, tags=TAGS | (tags or {}))
    return state_of(listed, record(**members), due_at, NOW)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, State.HEALTHY),
        ({"last_failure": DISABLED}, State.REFUSED),
        ({"last_failure": FAILURE, "failures": 1}, State.HEALTHY),
        ({"last_failure": FAILURE, "failures": 2}, State.FAILING),
        ({"last_failure": DISABLED, "blocked": FAILURE}, State.REFUSED),
        ({"blocked": FAILURE}, State.FAILING),
        ({"blocked": FAILURE, "phase": Phase.VERIFY}, State.FAILING),
        (DEAD, State.FAILING),
        (OTHER, State.DRIFTED),
        ({**DEAD, "phase": Phase.OVERLAP}, State.OVERLAP),
        ({"phase": Phase.PUBLISH, "operation": REPAIR}, State.DRIFTED),
        *(
            ({"phase": phase, "operation": operation()}, State.ROTATING)
            for phase in (Phase.REGENERATE, Phase.VERIFY, Phase.PUBLISH)
        ),
        *(
            ({"phase": phase, "operation": operation()}, State.REVOKING)
            for phase in (Phase.REVOKE, Phase.PROVE, Phase.CLEAN)
        ),
    ],
)
def test_what_the_record_has_decides_with_or_without_the_tags(
    members: dict[str, Any], expected: State
) -> None:
    assert state(**members) is expected
    assert state_of_member(TARGET, record(**members)) is expected


@pytest.mark.parametrize("code", ["LocalAuthDisabled", "ResourceNotFound", "ScopeLocked"])
def test_an_account_that_cannot_be_rotated_is_refused(code: str) -> None:
    assert state(last_failure=Failure(code, "m", "r", NOW)) is State.REFUSED


@pytest.mark.parametrize("tags", [{"ProviderAddress": ""}, {"ValidityPeriodDays": "soon"}])
def test_wrong_tags_are_refused_unless_there_is_other_trouble(tags: dict[str, str]) -> None:
    assert state(tags=tags) is State.REFUSED
    assert state(tags=tags, phase=Phase.VERIFY, operation=operation()) is State.REFUSED
    assert state(tags=tags, blocked=FAILURE) is State.FAILING


@pytest.mark.parametrize(
    ("due_at", "tags", "requests", "expected"),
    [
        (NOW, {}, (), State.DUE),
        (NOW + HOUR, {}, (REQUEST,), State.DUE),
        (NOW + HOUR, {}, (), State.HEALTHY),
        (NOW, {"RotationPaused": "true"}, (REQUEST,), State.PAUSED),
    ],
)
def test_a_secret_at_rest_is_paused_due_or_healthy(
    due_at: datetime, tags: dict[str, str], requests: Any, expected: State
) -> None:
    assert state(due_at, tags, requests=requests) is expected
