"""The simulation's fixtures. Its checker looks for keys itself, so logs are not searched."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from .harness.parallel import SELDOM


@pytest.fixture(scope="package", autouse=True)
def collect_seldom() -> Iterator[None]:
    """Spare the garbage collector, which finds little: a run takes a sixth less time."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    yield
    gc.set_threshold(*before)


@pytest.fixture(autouse=True)
def no_key_leaves() -> Iterator[None]:
    """Write no logs: thousands of worlds would fill them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=["port", "wire"])
def level(request: pytest.FixtureRequest) -> str:
    """The same scenario over the ports and over the real SDK clients."""
    return str(request.param)
