"""The published version of a secret, by its listing and by the record of its account. Pure.

A listing may be older than the last publish: then the record decides.
"""

from __future__ import annotations

from dataclasses import replace

from ...domain import tags
from ...domain.ids import TargetId
from ...domain.keys import Slot
from ...domain.operation import Operation, PublishedVersion
from ...domain.record import Record
from ...domain.targets import ListedSecret

DEAD = "it still shows a key that was replaced, which its consumers cannot use"

OTHER = "it shows another key than the service published last"


def current(listed: ListedSecret, record: Record | None) -> ListedSecret:
    """Return a listed secret as the last publish left it, if the listing is older than that."""
    found = _last_put(listed.target, record) if record else None
    if found is None or (listed.created and found[0].created <= listed.created):
        return listed
    put, operation = found
    written = tags.written(
        listed.tags, operation.candidate, operation.id, put.created, operation.reason
    )
    expires = operation.expires or listed.expires
    return replace(listed, created=put.created, expires=expires, tags=written)


def slot_of(target: TargetId, record: Record) -> Slot | None:
    """Return the slot whose key a secret showed when it was last read, or None."""
    seen = record.seen.get(str(target))
    known = record.known_keys.items()
    return next((slot for slot, value in known if seen and value == seen.fingerprint), None)


def remark(target: TargetId, record: Record) -> str:
    """Return what is wrong with the key that a secret showed when it was last read."""
    seen = record.seen.get(str(target))
    if seen is None or seen.foreign or not seen.fingerprint or not record.published:
        return ""
    if seen.fingerprint == record.published:
        return ""
    return OTHER if slot_of(target, record) else DEAD


def _last_put(target: TargetId, record: Record) -> tuple[PublishedVersion, Operation] | None:
    operations = (*record.history, *([record.operation] if record.operation else []))
    found = [(one.puts[str(target)], one) for one in operations if str(target) in one.puts]
    return max(found, key=lambda pair: pair[0].created, default=None)
