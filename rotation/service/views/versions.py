"""Replies about a secret's versions, without their values. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...domain import tags
from ...domain.redaction import redact
from ...domain.targets import VersionInfo
from ..replies.secret import VersionReply


def build(revisions: Iterable[VersionInfo]) -> list[VersionReply]:
    """Return the replies about the versions, the newest first."""
    newest_first = sorted(revisions, key=lambda r: r.created, reverse=True)
    return [_version(revision) for revision in newest_first]


def _version(revision: VersionInfo) -> VersionReply:
    return VersionReply(
        version=revision.version,
        created=revision.created,
        expires=revision.expires,
        enabled=revision.enabled,
        slot=_tag(revision, tags.CREDENTIAL_ID),
        rotation=_tag(revision, tags.ROTATION_ID),
        reason=_tag(revision, tags.ROTATION_REASON),
    )


def _tag(revision: VersionInfo, name: str) -> str | None:
    """Return one of our tags, redacted: somebody may have written a key into it."""
    text = revision.tags.get(name)
    return redact(text) if text else None
