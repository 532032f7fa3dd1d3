"""Closes the process's clients when its worker exits: by the end of its event loop, or SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable

Close = Callable[[], Awaitable[None]]

# Containers are killed 30 s after SIGTERM.
_LONGEST_SECONDS = 5

_watches: set[asyncio.Task[None]] = set()


def close_at_exit(close: Close) -> None:
    """Call ``close`` once when the running event loop ends or the process receives SIGTERM."""
    if _watches:
        return
    stopped = asyncio.Event()
    task = asyncio.create_task(_watch(stopped, close), name="close at exit")
    _watches.add(task)
    task.add_done_callback(_watches.discard)
    if _is_ours_to_handle():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)


async def _watch(stopped: asyncio.Event, close: Close) -> None:
    """Wait for SIGTERM or for the cancellation at the end of the loop; then close."""
    try:
        await stopped.wait()
    finally:
        await asyncio.wait_for(close(), _LONGEST_SECONDS)
    _end_by_signal()


def _is_ours_to_handle() -> bool:
    """Return whether nobody else handles SIGTERM, as in the worker of Azure Functions."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _end_by_signal() -> None:
    """End the process as SIGTERM does without a handler."""
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
