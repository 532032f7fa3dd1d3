"""The demo's stage: the emulator, the function app, three consumers, and a screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from ..azure import Azure
from ..proxy.server import Proxy
from ..sdk.transport import AsyncCredential
from .app import Failed, function_app
from .azurite import azurite
from .consumers import Consumer, Tally
from .events import subscribe
from .screen import Screen

ACCOUNT, VAULT, SECRET, TOPIC = "aoai-demo", "kv-demo", "ai-key", "rotations"
APPS = {"web": 1.0, "worker": 2.0, "batch": 3.0}  # seconds for which each one caches the secret


@dataclass
class Stage:
    """Everything that runs during the demo."""

    azure: Azure
    proxy: Proxy
    screen: Screen
    tally: Tally
    session: aiohttp.ClientSession
    host: dict[str, Any]
    tasks: list[asyncio.Task[None]]

    async def until(self, what: str, done: Callable[[], bool], seconds: float = 25.0) -> None:
        """Wait until a condition holds. Raises Failed if it does not within ``seconds``."""
        end = time.monotonic() + seconds
        while not done():
            self._check_tasks()
            if time.monotonic() > end:
                raise Failed(f"this did not happen within {seconds:.0f} s: {what}")
            await asyncio.sleep(0.05)

    def _check_tasks(self) -> None:
        """Raise Failed if a task has ended with an error; it would count no failed requests."""
        for task in self.tasks:
            if task.done() and not task.cancelled() and task.exception():
                raise Failed(f"a task of the demo failed: {task.exception()!r}")

    def published_events(self, kind: str) -> int:
        """Return how many events of a kind the service has published."""
        (events,) = self.azure.topics.received.values()
        return sum(event["type"] == f"KeyRotation.{kind}" for event in events)

    def works(self, key: str) -> bool:
        """Return whether the account accepts a key."""
        return self.azure.accounts.accepted(key) is not None

    @property
    def published_key(self) -> str:
        return self.azure.secret(VAULT, SECRET).current.value

    @property
    def published_slot(self) -> str:
        """The slot of the account whose key the secret publishes."""
        keys = self.azure.account(ACCOUNT).keys
        return next(slot for slot, key in keys.items() if key == self.published_key)

    async def post(self, body: dict[str, str]) -> str:
        """Request a rotation from the function app's HTTP API; return the operation's URL."""
        headers = {"x-functions-key": self.host["function_key"]}
        url = self.host["url"] + "/api/rotations"
        async with self.session.post(url, json=body, headers=headers) as response:
            if response.status != 202:
                raise Failed(f"the request got status {response.status}")
            return str(self.host["url"]) + response.headers["Location"]

    async def operation(self, url: str) -> dict[str, Any]:
        headers = {"x-functions-key": self.host["function_key"]}
        async with self.session.get(url, headers=headers) as response:
            found: dict[str, Any] = await response.json()
            return found


@asynccontextmanager
async def stage(directory: Path, storage: str) -> AsyncIterator[Stage]:
    """Start the emulator, the function app in its own process, the consumers and the screen."""
    azure, tally = _azure(), Tally()
    async with (
        Proxy(azure, directory) as proxy,
        azurite(storage == "azurite", directory) as environment,
        function_app(proxy, directory, environment) as host,
        aiohttp.ClientSession() as session,
    ):
        proxy.control.deliverer.storage = environment.get("AzureWebJobsStorage", "")
        await subscribe(azure, proxy, host, VAULT)
        with Screen(azure, tally, ACCOUNT, VAULT, SECRET) as screen:
            screen.say(f"{len(APPS)} apps read {SECRET} from Key Vault and call {ACCOUNT} with it")
            _publish_first(azure)
            tasks = [asyncio.create_task(proxy.control.deliverer.run())]
            tasks += [asyncio.create_task(c.run()) for c in _consumers(azure, proxy, tally)]
            try:
                yield Stage(azure, proxy, screen, tally, session, host, tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def _azure() -> Azure:
    azure = Azure()
    azure.add_account(ACCOUNT)
    azure.add_vault(VAULT).events.near_delay = timedelta(seconds=2)
    azure.topics.add(TOPIC)
    rotation = azure.add_principal("rotation")
    rotation.assign("Key rotator", azure.account(ACCOUNT).id)
    rotation.assign("Secret publisher", azure.vault(VAULT).id)
    rotation.assign("EventGrid Data Sender", azure.topics.id_of(TOPIC))
    azure.add_principal("apps").assign("Key Vault Secrets User", azure.vault(VAULT).id)
    return azure


def _publish_first(azure: Azure) -> None:
    tags = {"ProviderAddress": azure.account(ACCOUNT).id, "ValidityPeriodDays": "90"}
    expires = azure.clock.now() + timedelta(days=10)
    azure.add_secret(VAULT, SECRET, publishes=(ACCOUNT, "Key1"), tags=tags, expires=expires)


def _consumers(azure: Azure, proxy: Proxy, tally: Tally) -> list[Consumer]:
    credential = AsyncCredential(azure, azure.identity.principals[1])
    endpoint, vault = azure.account(ACCOUNT).endpoint, azure.vault(VAULT).url
    return [
        Consumer(name, proxy, credential, vault, SECRET, endpoint, keeps, tally)
        for name, keeps in APPS.items()
    ]
