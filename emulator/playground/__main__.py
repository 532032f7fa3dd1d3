"""``python -m emulator.playground``: the emulated Azure and the function app, until interrupted.

python -m emulator.playground --env-file azure.env    # in one terminal
source azure.env && keyrotation status                # in another one
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..azure import Azure
from ..demo.app import Failed
from ..start import add_seed, interrupted, start
from .environment import Environment
from .running import running


def main() -> int:
    try:
        return start(Azure(), _arguments(), _run)
    except (Failed, OSError) as exc:
        print(f"cannot start: {exc}", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator.playground",
        description="Run an emulated Azure and the function app, for the command line.",
        epilog="Ctrl-C stops both. Nothing is kept.",
    )
    add_seed(parser)
    parser.add_argument(
        "--env-file",
        type=Path,
        default=Path(".cache/azure.env"),
        help="file for the environment variables (default: .cache/azure.env)",
    )
    return parser.parse_args()


async def _run(azure: Azure, directory: Path, arguments: argparse.Namespace) -> None:
    stop = interrupted()
    async with running(azure, directory) as (proxy, host):
        with Environment.of(proxy, host).written(arguments.env_file) as environment:
            print(environment.introduction(arguments.env_file), flush=True)
            await stop.wait()
            print("\nStopping.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
