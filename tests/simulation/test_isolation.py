"""The owners' outcome is the same with and without neighbours."""

from __future__ import annotations

import pytest

from .harness.isolation import run_isolation


@pytest.mark.parametrize("seed", range(40))
def test_neighbours_change_nothing_for_the_owners(seed: int) -> None:
    run_isolation(seed)
