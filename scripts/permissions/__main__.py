"""Writes docs/permissions.md from runs with all rights and without each of them."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.integration.rbac.run import RIGHTS, everything

from .report import rendered

DOCUMENT = Path(__file__).parents[2] / "docs/permissions.md"


async def document() -> str:
    """Return the document."""
    with TemporaryDirectory() as directory:
        whole = await everything(f"{directory}/whole")
        reduced = {
            right: await everything(f"{directory}/{number}", right)
            for number, right in enumerate(RIGHTS)
        }
    return rendered(whole, reduced)


if __name__ == "__main__":
    logging.getLogger("rotation").propagate = False
    DOCUMENT.write_text(asyncio.run(document()))
