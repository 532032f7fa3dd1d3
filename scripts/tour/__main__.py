"""Regenerate the output in docs/cli.md and docs/runbook-leak.md, and the screenshots.

Runs the documented commands and a browser against the real function app on the emulated Azure.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from tests.end_to_end.browser.site import Site

from .console import ROOT, regenerate
from .estate import estate
from .screenshots import take_screenshots

DOCUMENTS = ("docs/cli.md", "docs/runbook-leak.md")
PUBLIC_URL = "https://my-rotation.azurewebsites.net"
FUNCTION_SETTINGS = {
    "ROTATION_OVERLAP": "PT26H",
    "ROTATION_LEAD": "P30D",
    "ROTATION_SCHEDULE": "*/3 * * * * *",
}


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
    """Run the commands of a document's text; return the text with their output."""
    azure = estate()
    settings = {**FUNCTION_SETTINGS, "ROTATION_DRILL_ACCOUNTS": azure.account("vision-weu").id}
    async with (
        Proxy(azure, directory) as proxy,
        function_app(proxy, directory, settings) as host,
    ):
        await Site(azure, host["url"], host["function_key"]).swept()
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "KEYROTATION_CONFIG": str(directory),
            "LOGNAME": "ada",
            "ROTATION_URL": host["url"],
            "ROTATION_FUNCTION_KEY": host["function_key"],
            "ROTATION_CREDENTIAL": "managed",
            "ROTATION_VAULTS": "https://kv-prod.vault.azure.net",
            "ROTATION_JOURNAL": str(directory / "journal"),
            "ROTATION_PROBE_SPAN": "PT1S",
            **proxy.environment,
        }
        text = await asyncio.to_thread(regenerate, document, environment)
        return text.replace(host["url"], PUBLIC_URL)


if __name__ == "__main__":
    asyncio.run(main())
