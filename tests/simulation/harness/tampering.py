"""People who restore, edit, delete or garble the journal's documents behind the service's back.

The service keeps an emergency twice: in its own document and in the account's record. Only one of
the two is ever damaged here at the same time, because nobody can know what was lost in both.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field

from rotation.engine.emergencies import PREFIX
from rotation.engine.journal import SLUG

from .journal_document import decode
from .operators import Operators

ACTIONS = (
    "tamper: restore an older record",
    "tamper: change the salt of a record",
    "tamper: delete a record",
    "tamper: drop the members of an older version",
    "tamper: write a newer record",
    "tamper: garble a record",
    "tamper: restore an older emergency",
    "tamper: delete an emergency",
    "tamper: write a newer emergency",
    "tamper: garble an emergency",
)
NEWER_MEMBERS = ("members", "notes", "former", "known_keys", "repairs", "published", "births")
NEWER_FORMAT = 99
GARBLED = (b"", b"{", b"[]", b"null", b'{"account": 1}', b"\xff\xfe")


@dataclass
class Tampering:
    """Keeps each document that is written, to restore one later."""

    operators: Operators
    _backups: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.operators.world.storage.watchers.append(self._keep)

    def act(self, what: str, slug: str, number: int) -> None:
        """Change the record of an account, or its newest emergency. ``number`` varies garbage."""
        what = what.removeprefix("tamper: ")
        if "emergency" in what:
            self._change_emergency(what, slug, number)
        elif slug in self._documents and self._backups[slug]:
            self._change_record(what, slug, number)

    @property
    def _documents(self) -> dict[str, tuple[bytes, int]]:
        return self.operators.world.storage.documents

    def _keep(self, name: str, body: bytes) -> None:
        if len(name) == SLUG or name.startswith(PREFIX):
            self._backups[name].append(body)

    def _change_record(self, what: str, slug: str, number: int) -> None:
        if self._is_needed(slug):
            return
        kept = self._backups[slug]
        if what == "delete a record":
            del self._documents[slug]
        elif what == "restore an older record":
            self._put(slug, kept[len(kept) // 2])
        elif what == "garble a record":
            self._put(slug, GARBLED[number % len(GARBLED)])
        elif what == "write a newer record":
            self._upgrade_for_an_hour(slug)
        else:
            self._edit_record(what, slug)
        unforgotten = what.startswith(("drop", "write a newer"))
        self.operators.world.observations.record_changed(slug, forgets_members=not unforgotten)

    def _is_needed(self, slug: str) -> bool:
        """Return whether only the record remembers an emergency.

        Its document cannot be read, or an earlier version has accepted it and made none.
        """
        kept = self._emergencies(slug)
        if any(not _is_readable(self._documents[name][0]) for name in kept):
            return True
        record = self._documents[slug][0]
        requests = decode(record).requests if _is_readable(record) else ()
        return any(r.kind == "emergency" and PREFIX + r.id not in kept for r in requests)

    def _edit_record(self, what: str, slug: str) -> None:
        document = json.loads(self._backups[slug][-1])
        if what.startswith("change the salt"):
            document["salt"] = "0" * 32
        else:
            document = {n: v for n, v in document.items() if n not in NEWER_MEMBERS}
        self._put(slug, json.dumps(document).encode())

    def _change_emergency(self, what: str, slug: str, number: int) -> None:
        """Change the newest emergency, unless it is open and only its document remembers it."""
        name = next(reversed(self._emergencies(slug)), None)
        if name is None or (self._is_open(name) and not self._is_named(name, slug)):
            return
        kept = self._backups[name]
        if what == "restore an older emergency":
            self._put(name, kept[number % len(kept)])
        elif what == "delete an emergency":
            del self._documents[name]
        elif what == "garble an emergency":
            self._put(name, GARBLED[number % len(GARBLED)])
        else:
            self._upgrade_for_an_hour(name)

    def _emergencies(self, slug: str) -> list[str]:
        return [name for name in self._documents if name.startswith(f"{PREFIX}{slug}-")]

    def _is_open(self, name: str) -> bool:
        return b'"verdict":"open"' in self._backups[name][-1]

    def _is_named(self, name: str, slug: str) -> bool:
        """Return whether the account's record can be read and names the emergency."""
        record = self._documents.get(slug, (b"", 0))[0]
        return _is_readable(record) and name.removeprefix(PREFIX).encode() in record

    def _upgrade_for_an_hour(self, name: str) -> None:
        """Write the document as a newer version does, and go back to the present one."""
        before = self._documents[name][0]
        if not _is_readable(before):
            return
        newer = json.loads(before) | {"format": NEWER_FORMAT, "novelty": True}
        body = json.dumps(newer).encode()
        self._put(name, body)

        def undo() -> None:
            if self._documents.get(name, (b"", 0))[0] == body:
                self._put(name, before)

        self.operators.undo_later(undo)

    def _put(self, name: str, body: bytes) -> None:
        self._documents[name] = (body, self.operators.world.storage.number())


def _is_readable(body: bytes) -> bool:
    """Return whether the present version can read a document."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    named = isinstance(found, dict) and isinstance(found.get("account"), dict)
    return named and found.get("format", 1) < NEWER_FORMAT
