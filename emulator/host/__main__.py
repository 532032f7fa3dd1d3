"""``python -m emulator.host``: run the function app in a directory until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from datetime import timedelta
from pathlib import Path

from .functions import BadApp
from .host import Host, Keys


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m emulator.host",
        description="Run a function app: its HTTP, Event Grid, timer and queue triggers.",
        epilog="Prints its URL, keys and functions as JSON in one line; runs until interrupted.",
    )
    parser.add_argument(
        "--app",
        type=Path,
        default=Path(),
        help="directory of function_app.py (default: the current one)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=7071,
        help="port to listen on; 0 takes any free one (default: 7071)",
    )
    parser.add_argument(
        "--keys-file",
        type=Path,
        help="JSON file with the keys master, function and eventgrid (default: random keys)",
    )
    parser.add_argument("--status", type=Path, help="directory in which timers keep their last run")
    parser.add_argument(
        "--hidden",
        type=int,
        default=600,
        metavar="SECONDS",
        help="visibility timeout of a queue message while its function runs (default: 600)",
    )
    parser.add_argument("--verbose", action="store_true", help="log the app's messages")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.WARNING)
    try:
        keys = Keys(**json.loads(arguments.keys_file.read_text())) if arguments.keys_file else None
        hidden = timedelta(seconds=arguments.hidden)
        host = Host(
            arguments.app, port=arguments.port, keys=keys, status=arguments.status, hidden=hidden
        )
    except (BadApp, OSError, TypeError, ValueError) as exc:
        print(f"the host cannot start: {exc}", file=sys.stderr)
        return 2
    asyncio.run(_run(host))
    return 0


async def _run(host: Host) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with host:
        ready = {
            "url": host.url,
            "master_key": host.keys.master,
            "function_key": host.keys.function,
            "eventgrid_key": host.keys.eventgrid,
            "functions": [function.name for function in host.functions],
        }
        print(json.dumps(ready), flush=True)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
