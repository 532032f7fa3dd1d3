"""``python -m emulator``: the emulated Azure behind a proxy, until interrupted.

python -m emulator --seed seed.json --env-file azure.env &
source azure.env
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from datetime import timedelta
from pathlib import Path

from .azure import Azure
from .proxy.server import Proxy
from .start import add_seed, interrupted, start

# The connection string of the queues that a subscription may name, as in the Functions host.
STORAGE = "AzureWebJobsStorage"


def main() -> int:
    arguments = _arguments()
    azure = Azure()
    azure.advance(timedelta(seconds=arguments.clock_shift))
    return start(azure, arguments, _run)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Run an emulated Azure: Key Vault, Azure AI accounts, identity, Event Grid.",
        epilog="Prints the environment variables for clients; the control API is at /_emulator/.",
    )
    add_seed(parser)
    parser.add_argument(
        "--port", type=int, default=0, help="port of the proxy (default: any free one)"
    )
    parser.add_argument(
        "--env-file", type=Path, help="also write the environment variables to this file"
    )
    parser.add_argument(
        "--clock-shift",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="start the clock this far in the future",
    )
    return parser.parse_args()


async def _run(azure: Azure, directory: Path, arguments: argparse.Namespace) -> None:
    stop = interrupted()
    async with Proxy(azure, directory, arguments.port) as proxy:
        environment = proxy.environment | azure.settings() | {"ROTATION_SPREAD": "PT0S"}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        if arguments.env_file:
            _write_whole(arguments.env_file, "\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)
        proxy.control.deliverer.storage = os.environ.get(STORAGE, "")
        deliveries = asyncio.create_task(proxy.control.deliverer.run())
        await stop.wait()
        deliveries.cancel()
        await asyncio.gather(deliveries, return_exceptions=True)


def _write_whole(file: Path, text: str) -> None:
    """Write a file that others wait for: they never see a part of it."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(text)
    part.replace(file)


if __name__ == "__main__":
    sys.exit(main())
