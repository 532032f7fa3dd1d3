"""The function app in its own process, which finds the emulator by its environment only."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..proxy.server import Proxy

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "ROTATION_SCHEDULE": "*/5 * * * * *",
    "ROTATION_OVERLAP": "PT5S",
    "ROTATION_PROBE_SPAN": "PT1S",
    "ROTATION_SETTLE": "PT10S",
    # In a fleet, first rotations are spread over a week, and no overlap is so short.
    "ROTATION_SPREAD": "PT0S",
    "ROTATION_MIN_OVERLAP": "PT0S",
}


class Failed(Exception):
    """A step of the demo did not happen."""


@asynccontextmanager
async def function_app(
    proxy: Proxy, directory: Path, environment: Mapping[str, str], *arguments: str
) -> AsyncIterator[dict[str, Any]]:
    """Run the function app; yield what its host prints, and its process id.

    ``arguments`` are additional arguments of the host.
    """
    clean = {name: value for name, value in os.environ.items() if "ROTATION" not in name}
    given = proxy.azure.settings() | {"ROTATION_JOURNAL": str(directory / "journal")}
    for host in proxy.azure.topics.received:
        given["ROTATION_TOPIC"] = f"https://{host}/api/events"
    with (directory / "host.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "emulator.host", "--port", "0", "--verbose"),
            *("--app", str(ROOT), *arguments),
            cwd=ROOT,
            env=clean | proxy.environment | SETTINGS | given | dict(environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            if not line:
                raise Failed(f"the host did not start; see {directory / 'host.log'}")
            yield json.loads(line) | {"pid": process.pid}
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 15)
