"""Stores the hold of all scheduled work, in its own document.

A document that cannot be read holds nothing; ``problem`` then says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..domain import codec
from ..domain.document import Document
from ..domain.errors import Unreadable
from ..domain.fleet_hold import FORMAT, FleetHold
from ..ports import Store
from ..runtime import log
from ..runtime.clock import Clock
from .swap import amended

NAME = "hold"

# A step may use what was read this long ago.
FRESH = timedelta(seconds=10)


class FleetHolds:
    """The hold in force. ``problem`` says why the document that was read last is not in force."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._found: FleetHold | None = None
        self._read_at: datetime | None = None
        self.problem = ""

    async def current(self, max_age: timedelta = timedelta()) -> FleetHold | None:
        """Return the hold that is on now, or None. Raises RotationError if the store fails."""
        now = self._clock.now()
        if self._read_at is None or abs(now - self._read_at) >= max_age:
            self._found, self.problem = _parsed(await self._store.read(NAME))
            self._read_at = now
            if self.problem:
                log.error("hold unreadable", reason=self.problem)
        return self._found if self._found and self._found.is_on(now) else None

    async def put(self, hold: FleetHold) -> None:
        """Store a hold in place of the one before; garbage is replaced.

        Raises Unreadable if a newer version of the service wrote the document.
        """

        async def load() -> tuple[FleetHold | None, str | None]:
            document = await self._store.read(NAME)
            if document and codec.format_of(document.body) > FORMAT:
                raise Unreadable(NAME, newer=True)
            return _parsed(document)[0], document.etag if document else None

        async def save(changed: FleetHold | None, etag: str | None) -> None:
            await self._store.write(NAME, codec.dump(changed), etag)

        await amended(load, save, lambda _: hold)
        self._read_at = None


def _parsed(document: Document | None) -> tuple[FleetHold | None, str]:
    """Return the hold, and why it cannot be read."""
    if document is None:
        return None, ""
    newer = codec.format_of(document.body) > FORMAT
    try:
        if not newer:
            return codec.load(FleetHold, document.body), ""
    except ValueError:
        pass
    reason = "a newer version wrote its document" if newer else "its document cannot be read"
    return None, (
        f"the hold of scheduled work is not in force: {reason}; "
        "place it again: keyrotation hold --until TIME --reason REASON"
    )
