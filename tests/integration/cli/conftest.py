"""The commands as a person uses them: ``main()``, real SDK clients, the emulated Azure's proxy.

Whatever a command prints, no key that the emulated Azure ever issued may be in it.
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
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


def planted() -> Azure:
    azure = Azure()
    seed.plant(azure, seed.PLAYGROUND)
    return azure


@contextmanager
def beside(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An asynchronous world in a thread of its own: commands have event loops of their own."""
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
    with beside(Proxy(planted(), tmp_path / "ca")) as found:
        # aiohttp reads SSL_CERT_FILE when it is imported, which here was long ago.
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
    """Runs one command in the environment of an operator."""
    environment = {
        **proxy.environment,
        **QUICK,
        "ROTATION_VAULTS": VAULT,
        "ROTATION_JOURNAL": str(tmp_path / "journal"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return _runner(proxy.azure, monkeypatch, capsys)


def _runner(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    def command(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["rotation", *arguments])
        capsys.readouterr()
        status = main()
        said = Said(status, *capsys.readouterr())
        leaked = [key for key in azure.issued_keys() if key in said.out + said.err]
        assert not leaked, "a key was printed"
        return said

    return command


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The function app as a process, after its first sweep."""
    with beside(site(planted(), tmp_path_factory.mktemp("service"), QUICK)) as found:
        yield found


@pytest.fixture
def ask(service: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command against the running service."""
    monkeypatch.setenv("ROTATION_URL", service.url)
    monkeypatch.setenv("ROTATION_FUNCTION_KEY", service.key)
    return _runner(service.azure, monkeypatch, capsys)
