"""``python -m scripts.tour``: run the commands of docs/cli.md and docs/runbook-leak.md again.

Their console blocks and the pictures in docs/images come from here: the real function app on the
emulated Azure, real commands, a real browser.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from emulator.demo.app import function_app
from emulator.proxy.server import Proxy
from tests.end_to_end.browser.site import Site

from .console import ROOT, renewed
from .estate import estate
from .pictures import pictures

DOCUMENTS = ("docs/cli.md", "docs/runbook-leak.md")
PUBLIC = "https://my-rotation.azurewebsites.net"
HASTE = {"ROTATION_OVERLAP": "PT26H", "ROTATION_LEAD": "P30D", "ROTATION_SCHEDULE": "*/3 * * * * *"}


async def main() -> None:
    for document in DOCUMENTS:
        with tempfile.TemporaryDirectory() as directory:
            await _renew(ROOT / document, Path(directory))
        print(f"{document}: its commands were run again")
    with tempfile.TemporaryDirectory() as directory:
        for picture in await pictures(Path(directory)):
            print(picture.relative_to(ROOT))


async def _renew(document: Path, directory: Path) -> None:
    azure = estate()
    async with (
        Proxy(azure, directory) as proxy,
        function_app(proxy, directory, HASTE) as host,
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
    text = renewed(document.read_text(), environment)
    document.write_text(text.replace(environment["ROTATION_URL"], PUBLIC))


if __name__ == "__main__":
    asyncio.run(main())
