"""The estate, served for a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.wire.product import Product

from .estate import DAY, estate, live, serving


@pytest.fixture(name="p")
async def served(tmp_path: Path) -> AsyncIterator[Product]:
    """The service of both teams, after a day in which nothing was due."""
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        await live(p, DAY)
        yield p
