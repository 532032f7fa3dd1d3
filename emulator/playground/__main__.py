"""``python -m emulator.playground``: the emulated Azure and the function app, until interrupted.

python -m emulator.playground --env-file azure.env    # in one terminal
source azure.env && keyrotation status                # in another one
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from .. import seed
from ..azure import Azure
from ..demo.app import Failed
from .environment import Environment
from .running import running


def main() -> int:
    arguments = _arguments()
    azure = Azure()
    try:
        text = arguments.seed.read_text() if arguments.seed else None
        seed.plant(azure, json.loads(text) if text is not None else seed.PLAYGROUND)
    except (OSError, ValueError) as exc:
        print(f"cannot use the seed: {exc}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="emulated-azure-") as directory:
        try:
            asyncio.run(_run(azure, Path(directory), arguments))
        except (Failed, OSError) as exc:
            print(f"cannot start: {exc}", file=sys.stderr)
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator.playground",
        description="Run an emulated Azure and the function app, for the command line.",
        epilog="Ctrl-C stops both. Nothing is kept.",
    )
    parser.add_argument(
        "--seed",
        type=Path,
        help="JSON file to build Azure from (default: two accounts and a vault)",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        default=Path(".cache/azure.env"),
        help="file for the environment variables (default: .cache/azure.env)",
    )
    return parser.parse_args()


async def _run(azure: Azure, directory: Path, arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with running(azure, directory) as (proxy, host):
        with Environment.of(proxy, host).written(arguments.env_file) as environment:
            print(environment.introduction(arguments.env_file), flush=True)
            await stop.wait()
            print("\nStopping.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
