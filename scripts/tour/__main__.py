"""Regenerate the output in docs/cli.md and docs/runbook-leak.md, and the screenshots.

Runs the documented commands and a browser against the real function app on the emulated Azure.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from emulator.azure import Azure
from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from tests.end_to_end.browser.site import Site

from .console import ROOT, regenerate
from .estate import VAULT, estate
from .screenshots import take_screenshots

DOCUMENTS = ("docs/cli.md", "docs/runbook-leak.md")
PUBLIC_URL = "https://my-rotation.azurewebsites.net"
FUNCTION_SETTINGS = {
    "ROTATION_OVERLAP": "PT26H",
    "ROTATION_LEAD": "P30D",
    "ROTATION_SCHEDULE": "*/2 * * * * *",
}
# Without a colour or a moving bar, but with the tables of a terminal.
TERMINAL = {"FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "LINES": "40"}
WITHDRAWN = "vision-weu"  # its binding is removed in the end


async def main() -> None:
    for document in DOCUMENTS:
        with tempfile.TemporaryDirectory() as directory:
            page = ROOT / document
            page.write_text(await play(page.read_text(), Path(directory)))
        print(f"{document} regenerated")
    with tempfile.TemporaryDirectory() as directory:
        for screenshot in await take_screenshots(Path(directory)):
            print(screenshot.relative_to(ROOT))


async def play(document: str, directory: Path) -> str:
    """Run the commands of a document's text; return the text with their output.

    Before the section about ``release``, the binding of one account is removed.
    """
    azure = estate()
    drills = {"ROTATION_DRILL_ACCOUNTS": azure.account(WITHDRAWN).id}
    text, section, rest = document.partition("### `release ")
    async with Proxy(azure, directory) as proxy:
        text = await _play(text, proxy, directory, drills)
        if section:
            rest = await _play(rest, proxy, directory, {"ROTATION_BINDINGS": _others(azure)})
    return text + section + rest


def _others(azure: Azure) -> str:
    """Return the bindings of all accounts but one."""
    kept = (one.id for one in azure.accounts.by_id.values() if one.name != WITHDRAWN)
    return ",".join(f"{VAULT}={account}" for account in kept)


async def _play(text: str, proxy: Proxy, directory: Path, more: Mapping[str, str]) -> str:
    async with function_app(proxy, directory, {**FUNCTION_SETTINGS, **more}) as host:
        site = Site(proxy.azure, host["url"], host["function_key"])
        await site.swept()
        if "ROTATION_BINDINGS" in more:
            await _withdrawn(site)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "KEYROTATION_CONFIG": str(directory),
            "PYTHONPATH": str(ROOT),  # this checkout, wherever the command is installed from
            "LOGNAME": "ada",
            **TERMINAL,
            "ROTATION_URL": host["url"],
            "ROTATION_FUNCTION_KEY": host["function_key"],
            "ROTATION_CREDENTIAL": "managed",
            "ROTATION_VAULTS": f"https://{VAULT}.vault.azure.net",
            "ROTATION_JOURNAL": str(directory / "journal"),
            "ROTATION_PROBE_SPAN": "PT1S",
            **proxy.environment,
        }
        played = await asyncio.to_thread(regenerate, text, environment)
        return played.replace(host["url"], PUBLIC_URL)


async def _withdrawn(site: Site) -> None:
    """Wait until a sweep has seen that the account's binding is gone."""
    path = f"/api/secrets/{VAULT}/{WITHDRAWN}-key/release?code={site.key}"
    asked = {"reason": "is it withdrawn?", "dry_run": True}
    async with aiohttp.ClientSession(site.url) as client:
        for _ in range(150):
            async with client.post(path, json=asked) as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.2)
    raise AssertionError("no sweep has seen the bindings within 30 s")


if __name__ == "__main__":
    asyncio.run(main())
