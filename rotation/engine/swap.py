"""Compare-and-swap: change a stored document, again after a conflict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..domain.errors import Conflict

ATTEMPTS = 8

T = TypeVar("T")


async def amended(
    load: Callable[[], Awaitable[tuple[T, str | None]]],
    save: Callable[[T, str | None], Awaitable[object]],
    change: Callable[[T], T | None],
) -> T:
    """Save what ``change`` makes of the loaded document; None or an equal one changes nothing.

    Return what is stored. Raises Conflict if it keeps changing, and what the functions raise.
    """
    for attempt in range(ATTEMPTS):
        found, etag = await load()
        changed = change(found)
        if changed is None or changed == found:
            return found
        try:
            await save(changed, etag)
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return changed
    raise AssertionError("unreachable")
