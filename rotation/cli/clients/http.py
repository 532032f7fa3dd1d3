"""The deployed function, over its HTTP API."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import aiohttp

from ..exit_status import Exit, Failed
from .protocol import Question

# The longest wait that the API grants, and its answer.
TIMEOUT = aiohttp.ClientTimeout(total=120, connect=10)


@dataclass
class Remote:
    """``scope`` asks for an Entra token; ``function_key`` is for local work."""

    url: str
    scope: str = ""
    function_key: str = ""
    _credential: Any = None

    @classmethod
    def of_environment(cls, url: str) -> Remote:
        """Raises Failed where nothing says how to sign in."""
        scope = os.environ.get("ROTATION_SCOPE", "").strip()
        key = os.environ.get("ROTATION_FUNCTION_KEY", "").strip()
        if not (scope or key):
            raise Failed(
                Exit.USAGE,
                "nothing says who you are",
                "set ROTATION_SCOPE, e.g. api://my-app-id/.default, and sign in with az login "
                "(locally: ROTATION_FUNCTION_KEY)",
            )
        return cls(url.rstrip("/"), scope, key)

    async def send(self, asked: Question) -> tuple[int, str]:
        url = f"{self.url}/api/{asked.path}"
        headers = {**asked.headers, **await self._identity()}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as session,
                session.request(
                    asked.method,
                    url,
                    params=asked.query,
                    headers=headers,
                    data=asked.body or None,
                    allow_redirects=False,
                ) as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as exc:
            advice = "check the URL; if the service is down, do it yourself with --direct"
            raise Failed(
                Exit.UNREACHABLE, f"{self.url} does not answer ({type(exc).__name__})", advice
            ) from None

    async def _identity(self) -> dict[str, str]:
        if self.function_key:
            return {"x-functions-key": self.function_key}
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity.aio import DefaultAzureCredential

        self._credential = self._credential or DefaultAzureCredential()
        try:
            token = await self._credential.get_token(self.scope)
        except ClientAuthenticationError:
            raise Failed(
                Exit.REFUSED, f"no token for {self.scope}", "az login, and check ROTATION_SCOPE"
            ) from None
        return {"Authorization": f"Bearer {token.token}"}

    async def close(self) -> None:
        if self._credential is not None:
            await self._credential.close()
