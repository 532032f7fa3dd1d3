"""The checker is checked: each fault that is put into the core on purpose is found."""

from __future__ import annotations

import pytest

from .harness import mutants, search


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_the_simulation_kills(name: str) -> None:
    with mutants.applied(name):
        found = search.first_violation(mutants.MUTANTS[name].strategy)
    assert found is not None, f"nothing notices: {name}"


def test_without_a_mutant_nothing_is_found() -> None:
    """By a part of the same hunt; the rest of it is in the other tests."""
    for strategy in ("wire", "aimed"):
        for execute in search.STRATEGIES[strategy]():
            execute()
