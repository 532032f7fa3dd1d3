"""Authentication for httpx, and for clients that accept an httpx client, such as openai."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from . import rotating_key, rotating_key_async


class KeyAuth(httpx.Auth):
    """Sends the key in use, and repeats a request once after a 401: ``httpx.Client(auth=…)``."""

    requires_request_body = True  # read the body first, so that it can be sent twice

    def __init__(self, key: rotating_key.RotatingKey, header: str = "api-key") -> None:
        self._key, self._header = key, header

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        used = _sign(request, self._header, self._key.value)
        response = yield request
        if response.status_code == 401 and (fresh := self._key.replace(used)) != used:
            _sign(request, self._header, fresh)
            yield request


class AsyncKeyAuth(httpx.Auth):
    """The same for ``httpx.AsyncClient(auth=…)``."""

    def __init__(self, key: rotating_key_async.RotatingKey, header: str = "api-key") -> None:
        self._key, self._header = key, header

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        await request.aread()  # so that the body can be sent twice
        used = _sign(request, self._header, self._key.value)
        response = yield request
        if response.status_code == 401 and (fresh := await self._key.replace(used)) != used:
            _sign(request, self._header, fresh)
            yield request


def _sign(request: httpx.Request, header: str, key: str) -> str:
    request.headers.pop("Authorization", None)  # openai's own, with the placeholder
    request.headers[header] = key
    return key
