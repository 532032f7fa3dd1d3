"""Every mutant is found: each fault that is put into the service on purpose."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .harness import search
from .harness.mutants.catalogue import MUTANTS, applied

SIMULATED = [name for name, mutant in MUTANTS.items() if not mutant.suite]
TESTED = [name for name, mutant in MUTANTS.items() if mutant.suite]
PLUGIN = "tests.simulation.harness.mutants.plugin"


@pytest.mark.parametrize("name", SIMULATED)
def test_the_simulation_finds_the_mutant(name: str) -> None:
    with applied(name):
        found = search.first_violation(MUTANTS[name].strategy)
    assert found is not None, f"not found: {name}"


@pytest.mark.parametrize("name", TESTED)
def test_its_suite_finds_the_mutant(name: str) -> None:
    options = ["-q", "-x", "-p", PLUGIN, "-p", "no:cacheprovider", MUTANTS[name].suite]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        env=os.environ | {"MUTANT": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr


def test_without_a_mutant_the_search_finds_nothing() -> None:
    """With some of the strategies; the other tests cover the others."""
    for strategy in ("wire", "aimed", "trust", *search.DIRECTED):
        for execute in search.STRATEGIES[strategy]():
            execute()
