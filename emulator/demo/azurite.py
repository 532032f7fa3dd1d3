"""Azurite, Microsoft's storage emulator, as an option of the demo."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

BINARY = Path(__file__).parents[2] / ".tools/azurite/node_modules/.bin/azurite"
ACCOUNT = "devstoreaccount1"
# Azurite's well-known key, the same in every installation and in its documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@asynccontextmanager
async def azurite(wanted: bool, directory: Path) -> AsyncIterator[dict[str, str]]:
    """Yield the function app's settings for Azurite, or none if it is not wanted."""
    if not wanted:
        yield {}
        return
    if not BINARY.exists():
        raise FileNotFoundError("Azurite is not installed; run: make azurite")
    ports = {name: _free_port() for name in ("blob", "queue", "table")}
    arguments = [part for name, port in ports.items() for part in (f"--{name}Port", str(port))]
    process = await asyncio.create_subprocess_exec(
        str(BINARY), *arguments, "--skipApiVersionCheck", "--inMemoryPersistence",
        "--disableTelemetry", "--silent",
        cwd=directory, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for port in ports.values():
            await _listening(port)
        yield {"AzureWebJobsStorage": connection_string(ports)}
    finally:
        process.terminate()
        await process.wait()


def connection_string(ports: dict[str, int]) -> str:
    endpoints = "".join(
        f"{name.capitalize()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        for name, port in ports.items()
    )
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def _listening(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise TimeoutError("Azurite does not respond")
