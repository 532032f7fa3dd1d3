"""An asyncio app that calls Azure OpenAI every second. One client serves all tasks.

python -m examples.consumers.python.app_async
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import httpx
from azure.identity.aio import ManagedIdentityCredential
from azure.keyvault.secrets.aio import SecretClient
from openai import AsyncAzureOpenAI, AuthenticationError

from .key_auth import AsyncKeyAuth
from .rotating_key_async import RotatingKey

CALLS = int(os.environ.get("CALLS", "1"))


async def call(client: AsyncAzureOpenAI) -> bool:
    try:
        await client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "hello"}]
        )
    except AuthenticationError:
        return False
    return True


async def main() -> None:
    every = float(os.environ.get("EVERY", "900"))
    async with (
        ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"]) as identity,
        SecretClient(os.environ["VAULT_URL"], identity) as vault,
        RotatingKey(vault, os.environ["SECRET"], every) as key,
    ):
        http: Any = httpx.AsyncClient(auth=AsyncKeyAuth(key))  # openai 3 is typed for httpx2
        client = AsyncAzureOpenAI(
            azure_endpoint=os.environ["ENDPOINT"],
            api_version="2024-10-21",
            api_key="placeholder",  # AsyncKeyAuth sends the key
            http_client=http,
        )
        while True:
            succeeded = sum(await asyncio.gather(*(call(client) for _ in range(CALLS))))
            print(key.version, succeeded, CALLS - succeeded, flush=True)
            await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
