"""The demo: the real function app in its own process, with events, on files or on Azurite."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


async def demo(*arguments: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "emulator.demo",
        *arguments,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode() + out.decode()
    result: dict[str, float] = json.loads(out.decode().splitlines()[-1])
    return result


def check(result: dict[str, float]) -> None:
    assert result["rotations"] == 2
    assert result["revocations"] == 2
    assert result["repairs"] == 1
    assert result["consumer_requests"] > 100
    assert result["failed_requests"] == 0
    assert result["seconds"] < 60


@pytest.mark.slow
@pytest.mark.azurite
@pytest.mark.usefixtures("azurite")
async def test_the_demo_rotates_without_a_failed_request_on_azurite() -> None:
    check(await demo("--storage", "azurite"))
