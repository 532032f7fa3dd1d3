"""``python -m benchmarks.load.consumers PLAN OUT``: consumers in one process, until SIGTERM.

Writes a line for each request to OUT. Each consumer uses the shipped sample as an app would: one
key and one client for its life.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import ssl
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import httpx
from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, CustomHookPolicy
from azure.core.rest import HttpRequest
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncIdentity
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from openai import AsyncAzureOpenAI, AzureOpenAI

from examples.consumers.python import rotating_key, rotating_key_async
from examples.consumers.python.key_auth import AsyncKeyAuth, KeyAuth
from examples.consumers.python.key_policy import KeyPolicy

from . import plan
from .plan import ASYNC, Consumer
from .results import Request

VERSION = "2024-10-21"
CHAT = f"openai/deployments/demo/chat/completions?api-version={VERSION}"
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
OPENAI: dict[str, Any] = {"api_version": VERSION, "api_key": "placeholder", "max_retries": 0}
FOREVER = 1e9


@dataclass
class Out:
    """Writes the outcome of each request."""

    file: TextIO

    def write(
        self, at: float, consumer: int, version: str, statuses: list[int], error: str
    ) -> None:
        request = Request(at, consumer, version, tuple(statuses), error)
        self.file.write(request.line() + "\n")  # one write, so that threads do not mix lines
        statuses.clear()


def call_of(
    consumer: Consumer, key: rotating_key.RotatingKey, statuses: list[int], context: ssl.SSLContext
) -> Callable[[], object]:
    """Return a function that makes one call and appends the status of each attempt."""
    if consumer.kind == "azure-sdk":
        return _azure_sdk(consumer, key, statuses)
    http: Any = httpx.Client(
        auth=KeyAuth(key),
        verify=context,
        event_hooks={"response": [lambda response: statuses.append(response.status_code)]},
    )
    if consumer.kind == "openai":
        client = AzureOpenAI(azure_endpoint=consumer.endpoint, http_client=http, **OPENAI)
        return lambda: client.chat.completions.create(model="demo", **BODY)
    return lambda: http.post(consumer.endpoint + CHAT, json=BODY)


def _azure_sdk(
    consumer: Consumer, key: rotating_key.RotatingKey, statuses: list[int]
) -> Callable[[], object]:
    credential = AzureKeyCredential(key.value)

    def seen(response: Any) -> None:
        statuses.append(response.http_response.status_code)

    client: PipelineClient[Any, Any] = PipelineClient(
        consumer.endpoint,
        policies=[
            KeyPolicy(key, credential),
            AzureKeyCredentialPolicy(credential, "api-key"),
            CustomHookPolicy(raw_response_hook=seen),
        ],
    )
    return lambda: client.send_request(HttpRequest("POST", consumer.endpoint + CHAT, json=BODY))


def run_thread(
    consumer: Consumer, context: ssl.SSLContext, out: Out, stop: threading.Event
) -> None:
    """Make calls until stopped. A control never reads its secret again."""
    vault = SecretClient(consumer.vault, ManagedIdentityCredential(client_id=consumer.identity))
    every = consumer.every if consumer.conforms else FOREVER
    key = rotating_key.RotatingKey(vault, consumer.secret, every)
    if not consumer.conforms:
        key.replace = lambda rejected: rejected  # type: ignore[method-assign]
    statuses: list[int] = []
    call = call_of(consumer, key, statuses, context)
    while not stop.wait(_wait(consumer)):
        at, version, error = time.time(), key.version, ""
        try:
            call()
        except Exception as exc:  # noqa: BLE001 - each failure is counted
            error = type(exc).__name__
        out.write(at, consumer.number, version, statuses, error)


async def run_task(consumer: Consumer, context: ssl.SSLContext, out: Out) -> None:
    """Make calls until cancelled."""
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(AsyncIdentity(client_id=consumer.identity))
        vault = await stack.enter_async_context(AsyncSecretClient(consumer.vault, identity))
        made = rotating_key_async.RotatingKey(vault, consumer.secret, consumer.every)
        key = await stack.enter_async_context(made)
        statuses: list[int] = []
        call = async_call_of(consumer, key, statuses, context)
        while True:
            await asyncio.sleep(_wait(consumer))
            at, version, error = time.time(), key.version, ""
            try:
                await call()
            except Exception as exc:  # noqa: BLE001 - each failure is counted
                error = type(exc).__name__
            out.write(at, consumer.number, version, statuses, error)


def async_call_of(
    consumer: Consumer,
    key: rotating_key_async.RotatingKey,
    statuses: list[int],
    context: ssl.SSLContext,
) -> Callable[[], Awaitable[object]]:
    """Return a function that makes one call and appends the status of each attempt."""

    async def seen(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    http: Any = httpx.AsyncClient(
        auth=AsyncKeyAuth(key), verify=context, event_hooks={"response": [seen]}
    )
    if consumer.kind == "async-openai":
        client = AsyncAzureOpenAI(azure_endpoint=consumer.endpoint, http_client=http, **OPENAI)
        return lambda: client.chat.completions.create(model="demo", **BODY)
    return lambda: http.post(consumer.endpoint + CHAT, json=BODY)


def _wait(consumer: Consumer) -> float:
    return consumer.pause * random.uniform(0.5, 1.5)


async def main(consumers: list[Consumer], out: Out) -> None:
    context = ssl.create_default_context()
    stop, stopped = threading.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    threads = [
        threading.Thread(target=run_thread, args=(one, context, out, stop), daemon=True)
        for one in consumers
        if one.kind not in ASYNC
    ]
    for thread in threads:
        thread.start()
    tasks = [
        asyncio.create_task(run_task(one, context, out)) for one in consumers if one.kind in ASYNC
    ]
    await stopped.wait()
    stop.set()
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)
    failures = [one for one in found if not isinstance(one, asyncio.CancelledError)]
    if failures:
        raise RuntimeError(f"{len(failures)} consumers ended early") from failures[0]


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # a throttled vault is part of the story
    with Path(sys.argv[2]).open("w", buffering=1) as file:
        asyncio.run(main(plan.read(Path(sys.argv[1])), Out(file)))
