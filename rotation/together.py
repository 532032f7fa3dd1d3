"""Reads that do not wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(reads: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in the order of the reads; raises the first failure.

    The usual account has one secret in one vault, and one read needs no task of its own.
    """
    waiting = list(reads)
    if len(waiting) == 1:
        return [await waiting[0]]
    return list(await asyncio.gather(*waiting))
