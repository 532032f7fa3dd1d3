"""The two levels are equal: they make the same calls in the same order."""

from __future__ import annotations

import pytest

from .harness.scenarios import SCENARIOS, Scenario, run_scenario, single_faults


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_scenario_makes_the_same_calls_at_both_levels(scenario: Scenario) -> None:
    port, wire = [await run_scenario(scenario, {}, level=level) for level in ("port", "wire")]
    assert port.interceptor.calls == wire.interceptor.calls
    assert port.interceptor.trace == wire.interceptor.trace
    assert len(port.sent) == len(next(iter(wire.azure.topics.received.values())))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_fault_has_the_same_consequences_at_both_levels(scenario: Scenario) -> None:
    for call, fault in list(await single_faults(scenario, "port", 1))[::41]:
        port, wire = [
            await run_scenario(scenario, {call: fault}, level=level) for level in ("port", "wire")
        ]
        assert port.interceptor.trace == wire.interceptor.trace, f"{fault} at call {call}"
        assert port.interceptor.calls == wire.interceptor.calls, f"{fault} at call {call}"
