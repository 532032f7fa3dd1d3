"""The start of a worker: when it is ready, how much later with the exporter, the longest block.

    python -m benchmarks.worker [RUNS]

The ratio compares both ways in one run, so that it means the same on every machine. The block is
the longest time in which the event loop does nothing else during the first invocation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BARE = "import azure.functions"
READY = "import function_app"
EXPORTER = "from azure.monitor.opentelemetry import configure_azure_monitor; "
BLOCK = """
import asyncio, time
import function_app
from rotation.bootstrap import process

async def main():
    longest, done = 0.0, asyncio.Event()

    async def beat():
        nonlocal longest
        last = time.perf_counter()
        while not done.is_set():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.02)
    began = time.perf_counter()
    {call}
    took = time.perf_counter() - began
    done.set()
    await beating
    print(longest, took)

asyncio.run(main())
"""
IN_THREAD = "async with process.invocation():\n        process.service()"
ON_LOOP = "process.service()"
SETTINGS = {
    "ROTATION_VAULTS": "https://kv-demo.vault.azure.net",
    "AzureWebJobsStorage__accountName": "benchmark",
}


def main(runs: int) -> None:
    without, loaded = seconds(READY, runs), seconds(EXPORTER + READY, runs)
    print(f"ready after {without:.2f} s; with the exporter {loaded:.2f} s")
    print(f"CPU, ratio to azure.functions alone: {cpu(READY, runs) / cpu(BARE, runs):.2f}")
    print(f"ratio with the exporter: {loaded / without:.1f}")
    for name, call in (("in a thread", IN_THREAD), ("on the loop", ON_LOOP)):
        found = [block(call) for _ in range(runs)]
        longest, took = (statistics.median(one) for one in zip(*found, strict=True))
        print(f"built {name}: longest block {longest * 1000:.0f} ms of {took * 1000:.0f} ms")


def seconds(code: str, runs: int) -> float:
    """Return the shortest time in which a new process runs the code."""
    return min(_timed(code) for _ in range(runs))


def cpu(code: str, runs: int) -> float:
    """Return the fewest seconds of CPU in which a new process runs the code."""
    return min(_cpu(code) for _ in range(runs))


def _cpu(code: str) -> float:
    before = os.times()
    run(code)
    after = os.times()
    used = after.children_user - before.children_user
    return used + after.children_system - before.children_system


def _timed(code: str) -> float:
    began = time.perf_counter()
    run(code)
    return time.perf_counter() - began


def block(call: str) -> tuple[float, float]:
    """Return the longest block of the event loop and the whole time, in seconds."""
    longest, took = run(BLOCK.format(call=call)).split()
    return float(longest), float(took)


def run(code: str) -> str:
    environment = {"PATH": os.environ["PATH"], **SETTINGS}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
