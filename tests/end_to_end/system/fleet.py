"""Workers of one function app, each its own process: killed, frozen, and started again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp

from emulator.core.identity import Principal
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from emulator.services.eventgrid.subscription import Subscription
from tests.azurite import free_ports

KEYS = {"master": "master", "function": "function", "eventgrid": "eventgrid"}
WEBHOOK = "/runtime/webhooks/eventgrid?functionName=secret_expiring&code=eventgrid"
# A killed worker's messages are visible again after this; in Azure after 10 minutes.
HIDDEN_SECONDS = 6
PATIENCE = aiohttp.ClientTimeout(total=6)
CHANGES = ("arm.regenerate_key", "keyvault.set_secret")


@dataclass
class Worker:
    """A worker with its own port and its own identity, by which its calls are recognised."""

    proxy: Proxy
    directory: Path
    settings: Mapping[str, str]
    identity: Principal
    port: int
    pid: int = 0
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        keys = self.directory / "keys.json"
        keys.write_text(json.dumps(KEYS))
        given = {**self.settings, "ROTATION_CLIENT_ID": self.identity.client_id}
        options = {"--port": self.port, "--keys-file": keys, "--hidden": HIDDEN_SECONDS}
        arguments = [str(part) for option in options.items() for part in option]
        app = function_app(self.proxy, self.directory, given, *arguments)
        self.pid = (await self._running.enter_async_context(app))["pid"]

    async def kill(self) -> None:
        """Kill the process at once: nothing is finished or released."""
        os.kill(self.pid, signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        """Stop the process in order, unless it was killed."""
        await self._running.aclose()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the process; afterwards it continues as if no time had passed."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def is_changing(self, within: timedelta) -> bool:
        """Return whether it waits for the response to a call that changes Azure."""
        since = self.proxy.azure.clock.now() - within
        recent = [call for call in self.proxy.azure.calls[-500:] if call.at > since]
        own = [call for call in recent if call.principal == self.identity.object_id]
        return any(call.operation in CHANGES for call in own)


@dataclass
class Fleet:
    """All workers, and what they receive from outside."""

    proxy: Proxy
    workers: tuple[Worker, ...]
    session: aiohttp.ClientSession

    async def request(self, body: Mapping[str, str], rng: random.Random) -> None:
        """Repeat a request with the same idempotency key until a worker has accepted it."""
        for _ in range(40):
            if await self._is_accepted(rng.choice(self.workers), body):
                return
            await asyncio.sleep(0.5)
        raise AssertionError(f"no worker accepts the request for {body['secret']}")

    async def _is_accepted(self, worker: Worker, body: Mapping[str, str]) -> bool:
        headers = {"x-functions-key": KEYS["function"], "Idempotency-Key": body["secret"]}
        url = f"{worker.url}/api/rotations"
        try:
            async with self.session.post(
                url, json=body, headers=headers, timeout=PATIENCE
            ) as answer:
                return answer.status == 202
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def subscribe(self, vault: str, worker: Worker, begins: str) -> None:
        """Deliver a vault's near-expiry events to this worker."""
        url = worker.url + WEBHOOK
        subscription = Subscription(url, types=("SecretNearExpiry",), begins=begins)
        topic = self.proxy.azure.vault(vault).topic
        await self.proxy.control.deliverer.validate(subscription, topic)
        topic.subscribe(subscription)


@asynccontextmanager
async def fleet(
    proxy: Proxy, directory: Path, settings: Sequence[Mapping[str, str]]
) -> AsyncIterator[Fleet]:
    """Start a worker for each of the settings, and deliver events to them."""
    workers = [_worker(proxy, directory, given, i) for i, given in enumerate(settings)]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        for worker in workers:
            stack.push_async_callback(worker.stop)
        await asyncio.gather(*(worker.start() for worker in workers))
        delivering = asyncio.create_task(proxy.control.deliverer.run())
        stack.push_async_callback(ended, delivering)
        yield Fleet(proxy, tuple(workers), session)


def _worker(proxy: Proxy, directory: Path, settings: Mapping[str, str], number: int) -> Worker:
    identity = proxy.azure.add_principal(f"worker-{number}")
    for vault in proxy.azure.keyvault.vaults.values():
        identity.assign("Secret publisher", vault.id)
    (port,) = free_ports(1)
    return Worker(proxy, directory / identity.name, settings, identity, port)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task that runs for ever. Raises its error if it failed before."""
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, Exception):
        raise result
