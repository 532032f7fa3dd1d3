"""An app that calls Azure OpenAI every second. One client serves all threads.

python -m examples.consumers.python.app
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from openai import AuthenticationError, AzureOpenAI

from .key_auth import KeyAuth
from .rotating_key import RotatingKey

CALLS = int(os.environ.get("CALLS", "1"))


def main() -> None:
    identity = ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"])
    vault = SecretClient(os.environ["VAULT_URL"], identity)
    key = RotatingKey(vault, os.environ["SECRET"], every=float(os.environ.get("EVERY", "900")))
    http: Any = httpx.Client(auth=KeyAuth(key))  # openai 3 is typed for httpx2, and accepts both
    client = AzureOpenAI(
        azure_endpoint=os.environ["ENDPOINT"],
        api_version="2024-10-21",
        api_key="placeholder",  # KeyAuth sends the key
        http_client=http,
    )

    def call(_: int) -> bool:
        try:
            client.chat.completions.create(
                model="demo", messages=[{"role": "user", "content": "hello"}]
            )
        except AuthenticationError:
            return False
        return True

    with ThreadPoolExecutor(CALLS) as threads:
        while True:
            succeeded = sum(threads.map(call, range(CALLS)))
            print(key.version, succeeded, CALLS - succeeded, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
