"""The common part of the programs that run an emulated Azure until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from . import seed
from .azure import Azure

Run = Callable[[Azure, Path, argparse.Namespace], Coroutine[Any, Any, None]]


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the seed."""
    parser.add_argument(
        "--seed",
        type=Path,
        help="JSON file to build Azure from (default: two accounts and a vault)",
    )


def start(azure: Azure, arguments: argparse.Namespace, run: Run) -> int:
    """Plant the seed, and run in a temporary directory. Return the exit status."""
    try:
        text = arguments.seed.read_text() if arguments.seed else None
        seed.plant(azure, json.loads(text) if text is not None else seed.PLAYGROUND)
    except (OSError, ValueError) as exc:
        print(f"cannot use the seed: {exc}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="emulated-azure-") as directory:
        asyncio.run(run(azure, Path(directory), arguments))
    return 0


def interrupted() -> asyncio.Event:
    """Return an event that Ctrl-C or a termination sets."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop
