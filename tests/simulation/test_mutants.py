"""The simulation finds each fault that is put into the service on purpose."""

from __future__ import annotations

import pytest

from .harness import search
from .harness.mutants.catalogue import MUTANTS, applied

SIMULATED = [name for name, mutant in MUTANTS.items() if not mutant.suite]


@pytest.mark.parametrize("name", SIMULATED)
def test_the_simulation_finds_the_mutant(name: str) -> None:
    with applied(name):
        found = search.first_violation(MUTANTS[name].strategy)
    assert found is not None, f"not found: {name}"


def test_without_a_mutant_the_search_finds_nothing() -> None:
    """With some of the strategies; the other tests cover the others."""
    for strategy in ("wire", "aimed", "trust", *search.DIRECTED):
        for execute in search.STRATEGIES[strategy]():
            execute()
