"""Tries keys with one cheap call without side effects.

``domain.probe_choice`` chooses the call; ``probe_hosts`` says which hosts may receive a key;
``probe_answers`` says what an answer proves.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from ..domain import probe_choice
from ..domain.account import Account
from ..domain.cloud import PUBLIC, Cloud
from ..domain.keys import Key
from ..domain.probe_calls import ProbeCall
from ..domain.probe_choice import Overrides
from ..domain.probing import ProbeVerdict
from .pipeline import CONNECT_SECONDS, READ_SECONDS, TransportFactory
from .probe_answers import inconclusive, verdict
from .probe_hosts import host_of

# Letters, digits and those of Base64: anything else may be a stranger's secret and is never sent.
_KEY = re.compile(r"[A-Za-z0-9+/=_-]+")

_REGION = re.compile(r"[a-z0-9]+")


class DataPlaneProbe:
    """Calls an account's endpoint with a key. Follows no redirects and logs nothing.

    Keys go only to https hosts of ``cloud``.
    """

    def __init__(
        self,
        transport: TransportFactory | None = None,
        cloud: Cloud = PUBLIC,
        overrides: Overrides | None = None,
    ) -> None:
        self._transport = transport
        self._cloud = cloud
        self._overrides = overrides or {}
        self._client: AsyncPipelineClient[Any, Any] | None = None

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        """Return the verdict of one call with this key."""
        choice = probe_choice.choose(account, self._cloud, self._overrides)
        host = host_of(choice.url, self._cloud)
        if host is None:
            return inconclusive(
                "no key is sent to the account's endpoint: it is not an https address of the "
                f"cloud {self._cloud.name}; check ROTATION_CLOUD"
            )
        if not _KEY.fullmatch(key.reveal()):
            return inconclusive("the value has characters that no key has, so it was not tried")
        return await self._send(_request(choice.call, host, account, key), host)

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


def _request(call: ProbeCall, host: str, account: Account, key: Key) -> HttpRequest:
    headers = {call.header: key.reveal(), **(_region(account) if call.by_region else {})}
    if call.method == "POST":
        headers["Content-Length"] = str(len(call.body))
    if call.body:
        headers["Content-Type"] = "application/json"
    url = f"https://{host}{call.path}"
    return HttpRequest(call.method, url, headers=headers, content=call.body or None)


def _region(account: Account) -> dict[str, str]:
    """Return the header that a regional account needs on a host that it shares with others."""
    region = account.location.lower().replace(" ", "")
    if region == "global" or not _REGION.fullmatch(region):
        return {}
    return {"Ocp-Apim-Subscription-Region": region}
