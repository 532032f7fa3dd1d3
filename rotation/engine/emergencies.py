"""Stores emergencies: one document each, changed only by compare-and-swap.

A record names its emergencies, but no record is needed to find them: a listing does, so that a
record that is lost, restored or edited forgets none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ..domain import codec
from ..domain.document import Document
from ..domain.emergency import FORMAT, Emergency, Verdict
from ..domain.errors import Conflict, Permanent
from ..domain.ids import AccountId
from ..ports import Store
from ..runtime import log
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .handover import Handover
from .swap import ATTEMPTS, amended

PREFIX = "emergency-"

UNREADABLE = "EmergencyUnreadable"  # the code of the error

# What a record does not name is found after this time.
FRESH = timedelta(seconds=60)

AT_ONCE = 32


class Emergencies:
    """The emergencies of all accounts. A document is read again only if it changed.

    An open one may change at any time: unless it was listed just now, it is always read.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._marks: dict[str, str] = {}
        self._listed_at: datetime | None = None
        self._kept: dict[str, tuple[str, Emergency]] = {}
        self._unreadable: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self.handover = Handover()

    @property
    def unreadable(self) -> Mapping[str, str]:
        """The reasons that documents could not be read when last listed, by the emergency's id."""
        return self._unreadable

    async def of(self, account: AccountId, named: Iterable[str] = ()) -> tuple[Emergency, ...]:
        """Return the emergencies of an account, including those ``named`` by its record."""
        await self._list(FRESH)
        prefix = f"{PREFIX}{account.slug}-"
        names = {name for name in self._marks if name.startswith(prefix)}
        return await self._read_all(names | {PREFIX + one for one in named})

    async def of_slug(self, slug: str) -> tuple[Emergency, ...]:
        """Return the emergencies of an account by its slug, from a new listing."""
        return await self._read_all([n async for n, _ in self._store.stamps(f"{PREFIX}{slug}-")])

    async def all(self) -> tuple[Emergency, ...]:
        """Return the emergencies of all accounts, open or not, the oldest first."""
        await self._list(timedelta())
        return await self._read_all(self._marks, are_marks_new=True)

    async def open(self) -> tuple[Emergency, ...]:
        """Return the open emergencies of all accounts."""
        return tuple(e for e in await self.all() if e.is_open)

    async def find(self, operation_id: str) -> Emergency | None:
        """Return an emergency by its operation's id; None if there is none that can be read."""
        return _loaded(await self._store.read(PREFIX + operation_id), operation_id)

    async def explain(self, operation_id: str) -> Permanent | None:
        """Return why the document of an emergency cannot be read; None if it can, or is missing."""
        document = await self._store.read(PREFIX + operation_id)
        if document is None or _loaded(document, operation_id):
            return None
        return _unreadable(document, operation_id)

    async def create(self, emergency: Emergency) -> Emergency:
        """Store a new emergency, unless it is stored already. Return what is stored."""
        name, etag = PREFIX + emergency.id, None
        for _ in range(ATTEMPTS):
            with suppress(Conflict):
                await self._store.write(name, codec.dump(emergency), etag)
                self._marks[name] = ""
                return emergency
            document = await self._store.read(name)
            found = _loaded(document, emergency.id)
            if found or (document and _is_newer(document)):
                return found or emergency
            etag = document.etag if document else None
        raise Conflict(f"write document {name}: it keeps changing")

    async def save(self, before: Emergency, after: Emergency) -> None:
        """Store a change. Raises Conflict if it is no longer as it was."""
        document = await self._store.read(PREFIX + before.id)
        if document is None or _loaded(document, before.id) != before:
            raise Conflict(f"the emergency {before.id} has changed")
        await self._store.write(PREFIX + after.id, codec.dump(after), document.etag)

    async def amend(
        self, operation_id: str, change: Callable[[Emergency], Emergency]
    ) -> Emergency | None:
        """Apply ``change`` to the stored emergency, again after a conflict; None if unknown."""
        name = PREFIX + operation_id

        async def load() -> tuple[Emergency | None, str | None]:
            document = await self._store.read(name)
            return _loaded(document, operation_id), document.etag if document else None

        async def save(changed: Emergency | None, etag: str | None) -> None:
            await self._store.write(name, codec.dump(changed), etag)

        return await amended(load, save, lambda found: change(found) if found else None)

    async def _list(self, max_age: timedelta) -> None:
        async with self._lock:
            now = self._clock.now()
            if self._listed_at is not None and abs(now - self._listed_at) < max_age:
                return
            self._marks = {name: mark async for name, mark in self._store.stamps(PREFIX)}
            self._listed_at = now
            for operation_id in [*self._unreadable]:
                if PREFIX + operation_id not in self._marks:
                    del self._unreadable[operation_id]

    async def _read_all(
        self, names: Iterable[str], *, are_marks_new: bool = False
    ) -> tuple[Emergency, ...]:
        found = await gather_limited((self._read(name, are_marks_new) for name in names), AT_ONCE)
        return tuple(sorted((e for e in found if e), key=lambda e: (e.at, e.id)))

    async def _read(self, name: str, is_mark_new: bool) -> Emergency | None:
        mark = self._marks.get(name, "")
        kept = self._kept.get(name)
        if kept and mark and kept[0] == mark and (is_mark_new or not kept[1].is_open):
            return kept[1]
        document, operation_id = await self._store.read(name), name.removeprefix(PREFIX)
        found = _loaded(document, operation_id)
        self._unreadable.pop(operation_id, None)
        if document and found is None and not _is_closed(document):
            self._unreadable[operation_id] = _unreadable(document, operation_id).advice
        if found:
            self._kept[name] = (mark, found)
        return found


def _loaded(document: Document | None, operation_id: str) -> Emergency | None:
    """Return the emergency, or None if it cannot be read or has a newer format."""
    if document is None:
        return None
    try:
        if not _is_newer(document):
            return codec.load(Emergency, document.body)
    except ValueError:
        pass
    log.error("emergency unreadable", id=operation_id)
    return None


def _is_newer(document: Document) -> bool:
    number = _members(document).get("format")
    return isinstance(number, int) and number > FORMAT


def _is_closed(document: Document) -> bool:
    """Return whether a newer version closed it."""
    return _is_newer(document) and _members(document).get("verdict", Verdict.OPEN) != Verdict.OPEN


def _members(document: Document) -> dict[str, Any]:
    try:
        found = json.loads(document.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unreadable(document: Document, operation_id: str) -> Permanent:
    again = "or report the leak again"
    if _is_newer(document):
        why = f"a newer version of this service wrote the emergency {operation_id}"
        remedy = f"deploy that version again, {again}"
    else:
        why = f"the emergency {operation_id} cannot be read"
        remedy = f"restore its document {PREFIX}{operation_id}, {again}"
    return Permanent(why, code=UNREADABLE, remedy=remedy)
