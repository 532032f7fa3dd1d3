"""The simulation's fixtures. Its checker looks for keys itself, so logs are not searched."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


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
