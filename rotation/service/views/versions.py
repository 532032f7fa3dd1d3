"""A secret's versions as JSON, without their values. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...domain import tags
from ...domain.codec import present
from ...domain.redaction import redact
from ...domain.targets import VersionInfo


def to_json(revisions: Iterable[VersionInfo]) -> list[dict[str, Any]]:
    """Return the versions, the newest first. Every member is present, null if unknown."""
    newest_first = sorted(revisions, key=lambda r: r.created.isoformat(), reverse=True)
    return [_version(revision) for revision in newest_first]


def _version(revision: VersionInfo) -> dict[str, Any]:
    body = {
        "version": revision.version,
        "created": revision.created,
        "expires": revision.expires,
        "enabled": revision.enabled,
        "slot": _tag(revision, tags.CREDENTIAL_ID),
        "rotation": _tag(revision, tags.ROTATION_ID),
        "reason": _tag(revision, tags.ROTATION_REASON),
    }
    return dict.fromkeys(body) | present(body)


def _tag(revision: VersionInfo, name: str) -> str | None:
    """Return one of our tags, redacted: somebody may have written a key into it."""
    text = revision.tags.get(name)
    return redact(text) if text else None
