"""A suite finds each fault that is put into the service on purpose, if no plan would meet it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .harness.mutants.catalogue import MUTANTS

TESTED = [name for name, mutant in MUTANTS.items() if mutant.suite]
PLUGIN = "tests.simulation.harness.mutants.plugin"


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
