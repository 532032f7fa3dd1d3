"""Runs commands through ``main()`` with real SDK clients against the emulated Azure's proxy.

Every run checks that the output contains no part of a key that the emulated Azure ever issued.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import connector

from emulator import seed
from emulator.azure import Azure
from emulator.proxy.server import Proxy
from rotation.cli.app import main
from rotation.domain.redaction import without_keys
from tests.end_to_end.browser.site import Site, site

T = TypeVar("T")
VAULT = "https://kv-demo.vault.azure.net"
QUICK = {
    "ROTATION_CREDENTIAL": "managed",
    "ROTATION_PROBE_SPAN": "PT0S",
    "ROTATION_PROBE_SUCCESSES": "1",
    "ROTATION_SETTLE": "PT10S",
}


@dataclass(frozen=True)
class Result:
    """A command's exit status and output."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


def playground() -> Azure:
    azure = Azure()
    seed.plant(azure, seed.PLAYGROUND)
    return azure


@contextmanager
def in_thread(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run a context in its own thread: each command has its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(_leave(context), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _leave(context: AbstractAsyncContextManager[T]) -> None:
    await context.__aexit__(None, None, None)
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with in_thread(Proxy(playground(), tmp_path / "ca")) as found:
        # aiohttp reads SSL_CERT_FILE when it is imported, which has already happened.
        connector._SSL_CONTEXT_VERIFIED.load_verify_locations(str(found.bundle))
        yield found


@pytest.fixture
def azure(proxy: Proxy) -> Azure:
    return proxy.azure


@pytest.fixture
def run(
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """A function that runs one command in an operator's environment."""
    environment = {
        **proxy.environment,
        **QUICK,
        "ROTATION_VAULTS": VAULT,
        "ROTATION_JOURNAL": str(tmp_path / "journal"),
        "KEYROTATION_CONFIG": str(tmp_path / "config"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return _runner(proxy.azure, monkeypatch, capsys)


def _runner(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    def command(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["rotation", *arguments])
        capsys.readouterr()
        status = main()
        result = Result(status, *capsys.readouterr())
        printed = without_keys(result.out + result.err, azure.issued_keys())
        assert printed == result.out + result.err, "a part of a key was printed"
        return result

    return command


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The function app in its own process, after its first sweep."""
    with in_thread(site(playground(), tmp_path_factory.mktemp("service"), QUICK)) as found:
        yield found


@pytest.fixture
def ask(
    service: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """A function that runs one command against the running service."""
    monkeypatch.setenv("KEYROTATION_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("ROTATION_URL", service.url)
    monkeypatch.setenv("ROTATION_FUNCTION_KEY", service.key)
    return _runner(service.azure, monkeypatch, capsys)
