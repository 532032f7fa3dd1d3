"""A pytest plugin that applies the mutant that the environment variable MUTANT names."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from .catalogue import applied

_undo = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Apply the mutant before any test is collected."""
    _undo.enter_context(applied(os.environ["MUTANT"]))


def pytest_unconfigure(config: pytest.Config) -> None:
    _undo.close()
