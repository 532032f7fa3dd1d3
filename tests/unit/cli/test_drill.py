"""The time that a drill took: from the request to the last proof."""

from __future__ import annotations

from rotation.cli.commands.drill import seconds_to_refusal

REQUESTED = {"requestedAt": "2026-11-28T09:52:34.250000Z"}


def test_the_time_is_counted_from_the_request() -> None:
    found = {**REQUESTED, "refusedAt": "2026-11-28T09:53:04.760000Z"}
    assert seconds_to_refusal(found) == 30.5


def test_a_key_that_is_not_refused_has_no_time() -> None:
    assert seconds_to_refusal(REQUESTED) is None
