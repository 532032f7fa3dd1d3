"""Replies about a secret's versions, without their values. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...domain import tags
from ...domain.ids import TargetId
from ...domain.keys import Slot
from ...domain.record import Record
from ...domain.redaction import redact
from ...domain.targets import VersionInfo
from ..replies.secret import VersionReply
from . import published


def build(
    target: TargetId, revisions: Iterable[VersionInfo], record: Record | None
) -> list[VersionReply]:
    """Return the replies about the versions, the newest first.

    The slot of a version without our tags is known if the account's last visit read its value.
    """
    newest_first = sorted(revisions, key=lambda r: r.created, reverse=True)
    seen = record.seen.get(str(target)) if record else None
    slot = published.slot_of(target, record) if record else None
    read = {seen.version: slot} if seen else {}
    return [_version(revision, read.get(revision.version)) for revision in newest_first]


def _version(revision: VersionInfo, read: Slot | None) -> VersionReply:
    return VersionReply(
        version=revision.version,
        created=revision.created,
        expires=revision.expires,
        enabled=revision.enabled,
        slot=_tag(revision, tags.CREDENTIAL_ID) or read,
        rotation=_tag(revision, tags.ROTATION_ID),
        reason=_tag(revision, tags.ROTATION_REASON),
    )


def _tag(revision: VersionInfo, name: str) -> str | None:
    """Return one of our tags, redacted: somebody may have written a key into it."""
    text = revision.tags.get(name)
    return redact(text) if text else None
