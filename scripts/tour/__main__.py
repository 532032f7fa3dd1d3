"""Regenerate the output in docs/cli.md and docs/runbook-leak.md, and the screenshots.

Runs the documented commands and a browser against the real function app on the emulated Azure.
"""

from __future__ import annotations

import asyncio
import os
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
            await _regenerate(ROOT / document, Path(directory))
        print(f"{document} regenerated")
    with tempfile.TemporaryDirectory() as directory:
        for screenshot in await take_screenshots(Path(directory)):
            print(screenshot.relative_to(ROOT))


async def _regenerate(document: Path, directory: Path) -> None:
    azure = estate()
    async with (
        Proxy(azure, directory) as proxy,
        function_app(proxy, directory, FUNCTION_SETTINGS) as host,
    ):
        await Site(azure, host["url"], host["function_key"]).swept()
        environment = {
            "PATH": os.environ["PATH"],
            "LOGNAME": "ada",
            "ROTATION_URL": host["url"],
            "ROTATION_FUNCTION_KEY": host["function_key"],
            "ROTATION_CREDENTIAL": "managed",
            "ROTATION_VAULTS": "https://kv-prod.vault.azure.net",
            "ROTATION_JOURNAL": str(directory / "journal"),
            "ROTATION_PROBE_SPAN": "PT1S",
            **proxy.environment,
        }
        await asyncio.to_thread(_rewrite, document, environment)


def _rewrite(document: Path, environment: dict[str, str]) -> None:
    text = regenerate(document.read_text(), environment)
    document.write_text(text.replace(environment["ROTATION_URL"], PUBLIC_URL))


if __name__ == "__main__":
    asyncio.run(main())
