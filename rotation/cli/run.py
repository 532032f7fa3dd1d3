"""Runs a command's coroutine and ends the process with its exit status."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import typer

from . import interruption
from .clients.connect import connect
from .clients.protocol import ApiClient
from .exit_status import ExitStatus


def run_with_client(
    url: str, direct: bool, command: Callable[[ApiClient], Awaitable[ExitStatus]]
) -> None:
    """Run a command that needs the API. Raises typer.Exit, or CommandError."""

    async def run_connected() -> ExitStatus:
        async with connect(url, direct) as client:
            with interruption.explained("Nothing was sent."):
                return await command(client)

    run(run_connected())


def run(command: Coroutine[Any, Any, ExitStatus]) -> None:
    """Run a command. Raises typer.Exit, or CommandError."""
    raise typer.Exit(asyncio.run(command))
