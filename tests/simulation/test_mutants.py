"""The checker is checked: each fault that is put into the core on purpose is found."""

from __future__ import annotations

import pytest

from .harness import mutants
from .harness import search as hunt


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_the_simulation_kills(name: str) -> None:
    with mutants.living(name):
        found = hunt.first_violation(mutants.MUTANTS[name].ground)
    assert found is not None, f"nothing notices: {name}"


def test_without_a_mutant_nothing_is_found() -> None:
    """By a part of the same hunt; the rest of it is in the other tests."""
    for ground in ("wire", "aimed"):
        for scenario in hunt.GROUNDS[ground]():
            scenario()
