"""Runs the real function app on an emulated Azure."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp

from emulator.azure import Azure
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from rotation.domain.access import Role

VAULT = "kv-demo"
# As in Azure: App Service authentication is on and function keys are off.
PLATFORM = {"WEBSITE_AUTH_ENABLED": "true", "ROTATION_FUNCTION_KEYS": "false"}


QUICK = {
    "ROTATION_SCHEDULE": "* * * * * *",
    "ROTATION_PROBE_SPAN": "PT0S",
    "ROTATION_OVERLAP": "PT2S",
}


def browser_path() -> str | None:
    """Return the path in CHROMIUM, or of an installed browser, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = (path for path in map(shutil.which, names) if path)
    return os.environ.get("CHROMIUM") or next(found, None)


@dataclass(frozen=True)
class Site:
    """A running service. ``page`` is the dashboard's address with the function key in it."""

    azure: Azure
    url: str
    key: str

    @property
    def page(self) -> str:
        return f"{self.url}/api/dashboard?code={self.key}"

    async def swept(self) -> None:
        """Wait for the first sweep. Raises AssertionError after 30 s."""
        async with aiohttp.ClientSession(self.url) as client:
            for _ in range(150):
                async with client.get("/api/health") as answer:
                    if answer.status == 200:
                        return
                await asyncio.sleep(0.2)
        raise AssertionError("no sweep within 30 s")


@asynccontextmanager
async def site(
    azure: Azure, directory: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Run the service as a separate process; yield it after its first sweep."""
    async with (
        Proxy(azure, directory) as proxy,
        function_app(proxy, directory, QUICK | dict(settings or {})) as host,
    ):
        found = Site(azure, host["url"], host["function_key"])
        await found.swept()
        yield found


def estate() -> Azure:
    """Return an Azure with two healthy accounts, a blocked one and an unmanaged one."""
    azure = Azure()
    vault = azure.add_vault(VAULT)
    rotation = azure.add_principal("rotation").assign("Secret publisher", vault.id)
    rotation.assign("Key rotator", "/").assign("Reader", "/")
    for name, kind in (("chat", "OpenAI"), ("speech", "SpeechServices"), ("vision", "OpenAI")):
        enrol(azure, name, kind)
    azure.account("vision").disable_local_auth = True
    azure.add_account("forgotten")
    azure.add_secret(VAULT, "old-api-key", value="anything", tags={})
    return azure


def enrol(azure: Azure, name: str, kind: str) -> None:
    account = azure.add_account(name, kind)
    azure.add_secret(
        VAULT,
        f"{name}-key",
        publishes=(name, "Key1"),
        tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
        expires=azure.clock.now() + timedelta(days=80),
    )


def signed_in(*roles: Role, name: str = "ada@contoso.example") -> dict[str, str]:
    """Return the headers that App Service authentication adds to a user's requests."""
    claims = [{"typ": "roles", "val": role.value} for role in roles]
    claims.append({"typ": "preferred_username", "val": name})
    principal = json.dumps({"auth_typ": "aad", "claims": claims, "role_typ": "roles"})
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(principal.encode()).decode()}
