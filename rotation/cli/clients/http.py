"""Calls the deployed function app over HTTP."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import aiohttp

from .. import saved
from ..exit_status import CommandError, ExitStatus
from .protocol import ApiRequest

# Longer than the slowest response, which is that of a large batch.
TIMEOUT = aiohttp.ClientTimeout(total=120, connect=10)


@dataclass
class HttpClient:
    """Authenticates by a token for ``scope``, or by ``function_key`` for local work."""

    url: str
    scope: str = ""
    function_key: str = ""
    _credential: Any = None

    @classmethod
    def from_environment(cls, url: str) -> HttpClient:
        """Read the scope or key from the environment. Raises CommandError if there is neither."""
        scope = os.environ.get("ROTATION_SCOPE", "").strip() or saved.get("scope")
        key = os.environ.get("ROTATION_FUNCTION_KEY", "").strip()
        if not (scope or key):
            raise CommandError(
                ExitStatus.USAGE,
                "No credentials configured.",
                "Save the scope once: keyrotation config set scope api://my-app-id/.default "
                "(or set ROTATION_SCOPE), and sign in with az login. For local work, set "
                "ROTATION_FUNCTION_KEY.",
            )
        return cls(url.rstrip("/"), scope, key)

    async def send(self, request: ApiRequest) -> tuple[int, str]:
        url = f"{self.url}/api/{request.path}"
        headers = {**request.headers, **await self._authentication()}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as session,
                session.request(
                    request.method,
                    url,
                    params=request.query,
                    headers=headers,
                    data=request.body or None,
                    allow_redirects=False,
                ) as response,
            ):
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise CommandError(
                ExitStatus.UNREACHABLE,
                f"{self.url} is unreachable ({type(exc).__name__}).",
                "Check the URL; if the service is down, use --direct.",
            ) from None

    async def _authentication(self) -> dict[str, str]:
        if self.function_key:
            return {"x-functions-key": self.function_key}
        # Imported here because it takes longer than the whole rest, which a function key needs.
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity.aio import DefaultAzureCredential

        self._credential = self._credential or DefaultAzureCredential()
        try:
            token = await self._credential.get_token(self.scope)
        except ClientAuthenticationError:
            raise CommandError(
                ExitStatus.REFUSED,
                "You are not signed in.",
                f"Run: az login. If you have, check the scope: {self.scope}",
            ) from None
        return {"Authorization": f"Bearer {token.token}"}

    async def close(self) -> None:
        if self._credential is not None:
            await self._credential.close()
