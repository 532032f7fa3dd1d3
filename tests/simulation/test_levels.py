"""The two levels are equal: the same calls in the same order, and the same story told."""

from __future__ import annotations

import pytest

from .harness.scenarios import STORIES, Story, play, singles


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_story_makes_the_same_calls_at_both_levels(story: Story) -> None:
    port, wire = [await play(story, {}, level=level) for level in ("port", "wire")]
    assert port.gate.calls == wire.gate.calls
    assert port.gate.trace == wire.gate.trace
    assert len(port.sent) == len(next(iter(wire.azure.topics.received.values())))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_fault_has_the_same_consequences_at_both_levels(story: Story) -> None:
    for call, fault in list(await singles(story, "port", 1))[::41]:
        port, wire = [await play(story, {call: fault}, level=level) for level in ("port", "wire")]
        assert port.gate.trace == wire.gate.trace, f"{fault} at call {call}"
        assert port.gate.calls == wire.gate.calls, f"{fault} at call {call}"
