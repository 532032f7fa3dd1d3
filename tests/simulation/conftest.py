"""The simulation looks for keys itself, in every document, tag and event that is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_key_leaves() -> Iterator[None]:
    """Thousands of worlds: their logs are not kept."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=["port", "wire"])
def level(request: pytest.FixtureRequest) -> str:
    """The same scenario over the ports and over the real SDK clients."""
    return str(request.param)
