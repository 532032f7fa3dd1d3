"""Tries keys with one cheap call without side effects per kind of account.

``probe_calls`` has the calls and the hosts that may receive a key; ``probe_answers`` says what an
answer proves.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from ..domain.account import Account
from ..domain.keys import Key
from ..domain.probing import ProbeVerdict
from .pipeline import CONNECT_SECONDS, READ_SECONDS, TransportFactory
from .probe_answers import inconclusive, verdict
from .probe_calls import Call, call_for, domains_of, host_of

PUBLIC_CLOUD = "https://management.azure.com"

# Letters, digits and those of Base64: anything else may be a stranger's secret and is never sent.
_KEY = re.compile(r"[A-Za-z0-9+/=_-]+")


class DataPlaneProbe:
    """Calls an account's endpoint with a key. Follows no redirects and logs nothing.

    Keys go only to https hosts of the cloud whose Resource Manager is ``arm``.
    """

    def __init__(self, transport: TransportFactory | None = None, arm: str = PUBLIC_CLOUD) -> None:
        self._transport = transport
        self._domains = domains_of(arm)
        self._client: AsyncPipelineClient[Any, Any] | None = None

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        """Return the verdict of one call with this key."""
        call, endpoint = call_for(account)
        host = host_of(endpoint, self._domains)
        if host is None:
            return inconclusive(
                "no key is sent to the account's endpoint: it is not an https address of "
                f"{' or '.join(self._domains) or 'a known cloud'}"
            )
        if not _KEY.fullmatch(key.reveal()):
            return inconclusive("the value has characters that no key has, so it was not tried")
        return await self._send(_request(call, host, key), host)

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        """Return the verdict for a random key of the length of ``like``: the negative control."""
        length = max(len(like.reveal()), 32)
        return await self.try_key(account, Key(secrets.token_hex(length)[:length]))

    async def _send(self, request: HttpRequest, host: str) -> ProbeVerdict:
        try:
            response = await self._pipeline().send_request(request, stream=True)
            async with response:
                status = response.status_code
                retry_after = response.headers.get("Retry-After", "")
                body = await response.read() if status == 403 else b""
        except AzureError:
            return inconclusive(f"{host} cannot be reached; allow network access from the service")
        return verdict(host, status, body, retry_after)

    def _pipeline(self) -> AsyncPipelineClient[Any, Any]:
        if self._client is None:
            options: dict[str, Any] = {
                "connection_timeout": CONNECT_SECONDS,
                "read_timeout": READ_SECONDS,
            }
            if self._transport:
                options["transport"] = self._transport()
            chain = [policies.UserAgentPolicy(sdk_moniker="azure-ai-key-rotation")]
            self._client = AsyncPipelineClient(base_url="", policies=chain, **options)
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _request(call: Call, host: str, key: Key) -> HttpRequest:
    headers = {call.header: key.reveal()}
    if call.method == "POST":
        headers["Content-Length"] = "0"
    return HttpRequest(call.method, f"https://{host}{call.path}", headers=headers)
