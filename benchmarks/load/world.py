"""The emulated Azure with its accounts, and the processes: the function app and the consumers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.demo.app import ROOT, function_app
from emulator.proxy.server import Proxy

from . import plan
from .plan import ASYNC, CONTROL, THREADED, Consumer
from .results import Published, Request

VAULTS = ("kv-load-a", "kv-load-b")
KINDS = (*ASYNC, *(kind for kind in THREADED if kind != CONTROL))
STOP_SECONDS = 30
# The control calls often, so that its failures are seen at any rate of the others.
CONTROL_PAUSE = 1.0


@dataclass(frozen=True)
class Size:
    """The size of a run. ``rate`` is in requests per second; the other times are in seconds."""

    consumers: int = 240
    accounts: int = 6
    rate: float = 60.0
    overlap: int = 16
    every: float = 6.0
    settled: float = 3.0


@dataclass
class App:
    """The function app: started, killed, and started again on the same journal."""

    proxy: Proxy
    directory: Path
    settings: Mapping[str, str]
    host: dict[str, Any] = field(default_factory=dict)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        app = function_app(self.proxy, self.directory, self.settings)
        self.host = await self._running.enter_async_context(app)

    async def kill(self) -> None:
        """Kill the process at once: nothing is finished or released."""
        os.kill(self.host["pid"], signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        await self._running.aclose()

    async def request(self, body: Mapping[str, str]) -> str:
        """Post a request; return the URL of the operation."""
        headers = {"x-functions-key": self.host["function_key"]}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(self.host["url"] + "/api/rotations", json=body) as answer,
        ):
            assert answer.status == 202, await answer.text()
            return str(self.host["url"]) + answer.headers["Location"]


@dataclass
class World:
    """Everything that runs. The secret of an account has the account's name."""

    azure: Azure
    app: App
    consumers: dict[int, Consumer]
    outputs: list[Path] = field(default_factory=list)

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """The vault and the name of each secret."""
        return sorted({(one.vault, one.secret) for one in self.consumers.values()})

    def requests(self) -> list[Request]:
        """Return the requests so far, in the order of time."""
        texts = (path.read_text().rpartition("\n")[0] for path in self.outputs)  # whole lines
        lines = (line for text in texts for line in text.splitlines())
        return sorted((Request.parse(line) for line in lines), key=lambda one: one.at)

    def published(self) -> dict[str, list[Published]]:
        """Return the versions of each secret, oldest first."""
        return {
            secret: [
                Published(version.id, version.created.timestamp())
                for version in self.azure.secret(vault, secret).versions
            ]
            for vault, secret in self.secrets
        }

    def works(self, key: str) -> bool:
        return self.azure.accounts.accepted(key) is not None


@asynccontextmanager
async def world(directory: Path, size: Size) -> AsyncIterator[World]:
    """Start Azure, the function app, and two processes with consumers."""
    azure = _azure(size)
    async with Proxy(azure, directory) as proxy:
        app = App(proxy, directory, _settings(size))
        await app.start()
        made = World(azure, app, {one.number: one for one in _consumers(azure, size)})
        try:
            async with AsyncExitStack() as processes:
                for name, kinds in (("async", ASYNC), ("threads", THREADED)):
                    chosen = [one for one in made.consumers.values() if one.kind in kinds]
                    made.outputs.append(directory / f"{name}.jsonl")
                    await processes.enter_async_context(_process(proxy, directory, name, chosen))
                yield made
        finally:
            await app.stop()


def _settings(size: Size) -> dict[str, str]:
    return {
        "ROTATION_OVERLAP": f"PT{size.overlap}S",
        "ROTATION_SCHEDULE": "*/3 * * * * *",
        "ROTATION_SETTLE": "PT6S",
    }


def _azure(size: Size) -> Azure:
    azure = Azure()
    rotation = azure.add_principal("rotation")
    for name in VAULTS:
        rotation.assign("Secret publisher", azure.add_vault(name).id)
    for number, vault in zip(range(size.accounts), cycle(VAULTS), strict=False):
        name = f"aoai-load-{number}"
        account = azure.add_account(name)
        rotation.assign("Key rotator", account.id)
        azure.add_secret(
            vault,
            name,
            publishes=(name, "Key1"),
            tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
            expires=azure.clock.now() + timedelta(days=80),
        )
    return azure


def _consumers(azure: Azure, size: Size) -> list[Consumer]:
    """Return the consumers, all kinds for each secret, and one control."""
    places = list(
        zip((f"aoai-load-{n}" for n in range(size.accounts)), cycle(VAULTS), strict=False)
    )
    identities = {secret: _reader(azure, vault, secret) for secret, vault in places}
    pause = size.consumers / size.rate

    def consumer(number: int, kind: str, secret: str, vault: str) -> Consumer:
        url, endpoint = azure.vault(vault).url, azure.account(secret).endpoint
        identity = identities[secret].client_id
        wait = CONTROL_PAUSE if kind == CONTROL else pause
        return Consumer(number, kind, identity, url, secret, endpoint, size.every, wait)

    every_place = cycle((kind, *place) for kind in KINDS for place in places)
    found = [consumer(number, *next(every_place)) for number in range(size.consumers)]
    return [*found, consumer(size.consumers, CONTROL, *places[0])]


def _reader(azure: Azure, vault: str, secret: str) -> Principal:
    """Add an identity that may read one secret."""
    scope = f"{azure.vault(vault).id}/secrets/{secret}"
    return azure.add_principal(f"reader of {secret}").assign("Key Vault Secrets User", scope)


@asynccontextmanager
async def _process(
    proxy: Proxy, directory: Path, name: str, consumers: Sequence[Consumer]
) -> AsyncIterator[None]:
    """Run consumers. Raises RuntimeError if one of them has ended early."""
    given, out = directory / f"{name}.json", directory / f"{name}.jsonl"
    plan.write(given, consumers)
    out.touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load.consumers", str(given), str(out)),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **proxy.environment},
    )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        code = await asyncio.wait_for(process.wait(), STOP_SECONDS)
    if code:
        raise RuntimeError(f"the consumers of {name} ended with {code}")
