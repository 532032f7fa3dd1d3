"""The life of a worker: ready early, never blocked, and without open clients at its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from benchmarks import worker
from emulator import seed
from emulator.azure import Azure
from emulator.proxy.server import Proxy

ROOT = Path(__file__).parents[3]
HOST = ("-X", "dev", "-m", "emulator.host", "--app", str(ROOT), "--port", "0")
# As the worker of Azure Functions: an event loop on the main thread, and no handler of SIGTERM.
WORKER = """
import asyncio
import function_app
from rotation.bootstrap import process

async def main():
    async with process.invocation():
        await process.service().queries.rows()
    print("answered", flush=True)
    await asyncio.sleep({seconds})

asyncio.run(main())
"""
LOADED = """
import asyncio, sys
import function_app
from rotation.bootstrap import process
from rotation.runtime import metrics

def is_loaded():
    return "azure.monitor.opentelemetry" in sys.modules

async def main():
    async with process.invocation():
        metrics.failed("Early")
        print(is_loaded(), len(metrics._held))
    await process._telemetry._loading
    print(is_loaded(), metrics._held)

asyncio.run(main())
"""


async def start(
    azure: Azure, directory: Path, *command: str
) -> tuple[Proxy, asyncio.subprocess.Process]:
    proxy = await Proxy(azure, directory / "ca").__aenter__()
    environment = {
        "PATH": os.environ["PATH"],
        **proxy.environment,
        "ROTATION_VAULTS": azure.vault("kv-demo").url,
        "ROTATION_JOURNAL": str(directory / "journal"),
        "ROTATION_SCHEDULE": "* * * * * *",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    return proxy, process


def playground() -> Azure:
    azure = Azure()
    seed.plant(azure, seed.PLAYGROUND)
    return azure


async def ended(proxy: Proxy, process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Return the exit status and what was written to stderr."""
    _, err = await asyncio.wait_for(process.communicate(), 60)
    await proxy.__aexit__()
    return process.returncode, err.decode()


def unclosed(err: str) -> list[str]:
    return [line for line in err.splitlines() if "unclosed" in line.lower()]


async def test_a_host_that_gets_sigterm_leaves_no_client_open(tmp_path: Path) -> None:
    proxy, process = await start(playground(), tmp_path, *HOST)
    assert process.stdout is not None
    host = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    headers = {"x-functions-key": host["function_key"]}
    async with (
        aiohttp.ClientSession(host["url"], headers=headers) as client,
        client.get("/api/secrets") as answer,
    ):
        assert answer.status == 200, await answer.text()
    process.send_signal(signal.SIGTERM)
    status, err = await ended(proxy, process)
    assert status == 0
    assert unclosed(err) == []


@pytest.mark.parametrize(("seconds", "status"), [("600", -signal.SIGTERM), ("0", 0)])
async def test_a_worker_leaves_no_client_open(seconds: str, status: int, tmp_path: Path) -> None:
    code = WORKER.format(seconds=seconds)
    proxy, process = await start(playground(), tmp_path, "-X", "dev", "-c", code)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"answered\n"
    if status:
        process.send_signal(signal.SIGTERM)
    found, err = await ended(proxy, process)
    assert found == status, err
    assert unclosed(err) == []


def test_the_first_invocation_does_not_block_the_event_loop() -> None:
    blocked, took = worker.block(worker.IN_THREAD)
    on_loop, _ = worker.block(worker.ON_LOOP)
    assert blocked < on_loop / 3, f"{blocked:.3f} s of {took:.3f} s"


def test_the_exporter_is_loaded_after_the_first_answer_and_gets_what_was_measured_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = "APPLICATIONINSIGHTS_CONNECTION_STRING"
    value = "InstrumentationKey=11111111-1111-1111-1111-111111111111;IngestionEndpoint=https://127.0.0.1:9/"
    monkeypatch.setitem(worker.SETTINGS, key, value)
    assert worker.run(LOADED).split() == ["False", "1", "True", "None"]


def test_the_exporter_is_left_to_the_worker_that_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
    monkeypatch.setitem(worker.SETTINGS, "APPLICATIONINSIGHTS_CONNECTION_STRING", "x")
    monkeypatch.setitem(worker.SETTINGS, flag, "true")
    code = "from rotation.bootstrap import process as p; print(p._telemetry._wanted)"
    assert worker.run(code) == "False\n"
