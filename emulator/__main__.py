"""``python -m emulator``: the emulated Azure behind a proxy, until interrupted.

python -m emulator --seed seed.json --env-file azure.env &
source azure.env
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from . import seed
from .azure import Azure
from .proxy.server import Proxy

# The connection string of the queues that a subscription may name, as in the Functions host.
STORAGE = "AzureWebJobsStorage"


def main() -> int:
    arguments = _arguments()
    azure = Azure()
    azure.advance(timedelta(seconds=arguments.clock_shift))
    try:
        text = arguments.seed.read_text() if arguments.seed else None
        seed.plant(azure, json.loads(text) if text is not None else seed.PLAYGROUND)
    except (OSError, ValueError) as exc:
        print(f"cannot use the seed: {exc}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="emulated-azure-") as directory:
        asyncio.run(_run(azure, Path(directory), arguments))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Run an emulated Azure: Key Vault, Azure AI accounts, identity, Event Grid.",
        epilog="Prints the environment variables for clients; the control API is at /_emulator/.",
    )
    parser.add_argument(
        "--seed",
        type=Path,
        help="JSON file to build Azure from (default: two accounts and a vault)",
    )
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
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Proxy(azure, directory, arguments.port) as proxy:
        environment = proxy.environment | azure.settings() | {"ROTATION_SPREAD": "PT0S"}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        if arguments.env_file:
            arguments.env_file.write_text("\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)
        proxy.control.deliverer.storage = os.environ.get(STORAGE, "")
        deliveries = asyncio.create_task(proxy.control.deliverer.run())
        await stop.wait()
        deliveries.cancel()
        await asyncio.gather(deliveries, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
