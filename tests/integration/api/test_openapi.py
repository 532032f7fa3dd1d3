"""The service behaves as its OpenAPI document describes: schemathesis tests the running app."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.azure import Azure
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from rotation.web.routes import ROUTES

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "rotation/web/openapi.json"
# The Functions host returns 404 for a method without a function; the document cannot change that.
# A valid request may name a secret or an operation that does not exist, or be refused.
# One of two methods is enough, so a wrong token beside a valid key is accepted (test_access.py).
EXCLUDED = "unsupported_method,positive_data_acceptance,ignored_auth"


def test_the_document_describes_exactly_the_routes() -> None:
    described = {
        f"{method.upper()} {path.removeprefix('/api/')}"
        for path, methods in json.loads(DOCUMENT.read_text())["paths"].items()
        for method in methods
    }
    assert described == {f"{route.method} {route.path}" for route in ROUTES}


def test_the_document_names_the_role_that_each_route_needs() -> None:
    paths = json.loads(DOCUMENT.read_text())["paths"]
    for route in ROUTES:
        operation = paths[f"/api/{route.path}"][route.method.lower()]
        assert operation["operationId"] == route.name
        if route.role is None:
            assert operation["security"] == []
        else:
            assert route.role.value in operation["description"]


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[dict[str, Any]]:
    azure = Azure()
    account = azure.add_account("aoai-demo")
    vault = azure.add_vault("kv-demo")
    identity = azure.add_principal("rotation")
    identity.assign("Key rotator", account.id).assign("Secret publisher", vault.id)
    azure.add_secret(
        "kv-demo",
        "ai-key",
        publishes=("aoai-demo", "Key1"),
        tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
        expires=azure.clock.now() + timedelta(days=80),
    )
    async with Proxy(azure, directory) as proxy, function_app(proxy, directory, {}) as host:
        await _healthy(host["url"])
        yield host


async def _healthy(url: str) -> None:
    """Wait for the first sweep."""
    async with aiohttp.ClientSession(url) as client:
        for _ in range(100):
            async with client.get("/api/health") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.2)
    raise AssertionError("no sweep within 20 s")


@pytest.mark.slow
async def test_the_running_service_matches_the_document(tmp_path: Path) -> None:
    async with running(tmp_path) as host:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT)),
            *("--url", host["url"], "-H", f"x-functions-key: {host['function_key']}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "20"),
            *("--exclude-checks", EXCLUDED, "--seed", "1", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 300)
    text = out.decode()
    print(text)
    assert process.returncode == 0, text
    (tested,) = re.findall(r"Tested: (\d+)", text)
    assert int(tested) == len(ROUTES)
