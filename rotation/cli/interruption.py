"""Ctrl-C: ends a command at once, and says what became of the request."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from .exit_status import CommandError, ExitStatus


@contextmanager
def explained(message: str, remedy: str = "") -> Iterator[None]:
    """Raise CommandError with this message if Ctrl-C cancels what the block awaits."""
    try:
        yield
    except asyncio.CancelledError:
        text = f"Interrupted. {message}"
        raise CommandError(ExitStatus.INTERRUPTED, text, remedy) from None


@contextmanager
def at_once() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in blocking code, although an event loop is running."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
