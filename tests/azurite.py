"""Azurite, Microsoft's storage emulator, as a fixture."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

# Public and the same everywhere: "Use the Azurite emulator for local Azure Storage development".
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_LOCAL = Path(__file__).parent.parent / ".tools/azurite/node_modules/.bin/azurite"
_START_SECONDS = 30


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A connection string. Skips the test without Azurite, unless REQUIRE_AZURITE=1."""
    with running(tmp_path_factory.mktemp("azurite") / "log") as connection:
        yield connection


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Run Azurite; yield a connection string."""
    program = os.environ.get("AZURITE") or (str(_LOCAL) if _LOCAL.exists() else None)
    program = program or shutil.which("azurite")
    if program is None:
        _absent("Azurite is missing: npm install --prefix .tools/azurite azurite@3.35.0")
    blob, queue, table = free_ports(3)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, *_options(blob, queue, table)], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, (blob, queue), log)
            yield connection_string(blob, queue)
        finally:
            process.terminate()
            process.wait(10)


def _options(blob: int, queue: int, table: int) -> list[str]:
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    for service, port in (("blob", blob), ("queue", queue), ("table", table)):
        options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    return options


def connection_string(blob: int, queue: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{blob}/{_ACCOUNT};"
        f"QueueEndpoint=http://127.0.0.1:{queue}/{_ACCOUNT};"
    )


def _absent(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_AZURITE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(count: int) -> list[int]:
    """Return ports that are free, and differ because they are open at the same time."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _wait(process: subprocess.Popen[bytes], ports: tuple[int, ...], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not all(_answers(port) for port in ports):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"Azurite did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
