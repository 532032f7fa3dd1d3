"""Verifies keys with one cheap call without side effects per kind of account.

2xx and 429 accept a key and 401 refuses it. Everything else is inconclusive.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from ..domain.account import Account
from ..domain.keys import Key
from ..domain.probing import ProbeResult, ProbeVerdict
from .pipeline import CONNECT_SECONDS, READ_SECONDS, TransportFactory

_VISIBLE = re.compile(r"[!-~]+")

_OPENAI_API = "OpenAI Language Model Instance API"

_SUBSCRIPTION_KEY = "Ocp-Apim-Subscription-Key"


@dataclass(frozen=True)
class _Call:
    path: str
    method: str = "GET"
    header: str = _SUBSCRIPTION_KEY


_OPENAI = _Call("/openai/models?api-version=2024-10-21", header="api-key")

_TOKEN = _Call("/sts/v1.0/issueToken", "POST")

_CALLS = {
    "openai": _OPENAI,
    "aiservices": _TOKEN,
    "cognitiveservices": _TOKEN,
    "speechservices": _TOKEN,
    "texttranslation": _TOKEN,
    "formrecognizer": _Call("/documentintelligence/info?api-version=2024-11-30"),
    "computervision": _Call("/vision/v3.2/models"),
    "contentsafety": _Call("/contentsafety/text/blocklists?api-version=2024-09-01"),
    "face": _Call("/face/v1.0/persongroups?top=1"),
    "customvision.training": _Call("/customvision/v3.3/Training/projects", header="Training-Key"),
    "textanalytics": _Call(
        "/language/authoring/analyze-text/projects?api-version=2023-04-01&top=1"
    ),
}


class DataPlaneProbe:
    """Calls an account's endpoint with a key. Follows no redirects and logs nothing."""

    def __init__(self, transport: TransportFactory | None = None) -> None:
        self._transport = transport
        self._client: AsyncPipelineClient[Any, Any] | None = None

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        """Return the verdict of one call with this key."""
        call, endpoint = _call_for(account)
        if call is None:
            return _inconclusive(
                f"there is no probe for accounts of kind {account.kind or 'unknown'}"
            )
        if urlsplit(endpoint).scheme != "https":
            return _inconclusive("the account has no https endpoint")
        if not _VISIBLE.fullmatch(key.reveal()):
            return ProbeVerdict(ProbeResult.REFUSED, "the value is not a valid header")
        headers = {call.header: key.reveal()}
        request = HttpRequest(call.method, endpoint.rstrip("/") + call.path, headers=headers)
        if call.method == "POST":
            request.headers["Content-Length"] = "0"
        return await self._send(request, urlsplit(endpoint).hostname or "")

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        """Return the verdict for a random key of the length of ``like``: the negative control."""
        length = max(len(like.reveal()), 32)
        return await self.try_key(account, Key(secrets.token_hex(length)[:length]))

    async def _send(self, request: HttpRequest, host: str) -> ProbeVerdict:
        try:
            response = await self._pipeline().send_request(request, stream=True)
            async with response:
                status = response.status_code
                body = await response.read() if status == 403 else b""
        except AzureError:
            return _inconclusive(f"{host} cannot be reached")
        return _verdict(status, body, host)

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


def _call_for(account: Account) -> tuple[_Call | None, str]:
    openai = account.endpoints.get(_OPENAI_API)
    kind = account.kind.lower()
    if kind == "aiservices" and openai:
        return _OPENAI, openai
    return _CALLS.get(kind), account.endpoint


def _verdict(status: int, body: bytes, host: str) -> ProbeVerdict:
    if 200 <= status < 300 or status == 429:
        return ProbeVerdict(ProbeResult.ACCEPTED, f"{host} answered {status}")
    if status == 401:
        return ProbeVerdict(ProbeResult.REFUSED, f"{host} answered 401")
    if b"AuthenticationTypeDisabled" in body:
        return _inconclusive(f"key authentication is disabled at {host}")
    hint = ": network access is denied" if status == 403 else ""
    return _inconclusive(f"{host} answered {status}{hint}")


def _inconclusive(detail: str) -> ProbeVerdict:
    return ProbeVerdict(ProbeResult.INCONCLUSIVE, detail)
