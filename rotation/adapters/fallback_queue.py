"""A queue with a second one for the messages that the first does not take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..domain.errors import RotationError
from ..ports import Queue
from ..runtime import log


@dataclass(frozen=True)
class FallbackQueue:
    """Puts a message into ``first``, or into ``second`` if that fails.

    A deployment may not have the first one yet, or no rights on it.
    """

    first: Queue
    second: Queue

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        """Enqueue in one of the queues. Raises the second one's error."""
        try:
            await self.first.put(message, delay)
        except RotationError as exc:
            log.warning("emergency queue failed", reason=exc.advice, code=exc.code)
            await self.second.put(message, delay)

    async def close(self) -> None:
        """Close the first queue; the second one has its own owner."""
        if hasattr(self.first, "close"):
            await self.first.close()
