"""The last readers of a secret, from logged reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ...decisions.evidence import QUIET, behind, is_usable
from ...domain import durations
from ...domain.ids import TargetId
from ...domain.targets import SecretRead, VersionInfo
from ..replies.secret import ReaderReply, ReadersReply

# For how long the log is searched.
WITHIN = timedelta(days=30)


def unknown(target: TargetId, problem: str, now: datetime) -> ReadersReply:
    """Return the reply for when nobody can tell."""
    return _reply(target, None, None, problem, now)


def build(
    target: TargetId,
    versions: Iterable[VersionInfo],
    reads: Sequence[SecretRead],
    ignored: frozenset[str],
    now: datetime,
) -> ReadersReply:
    """Return the last read by each identity.

    ``ignored`` are identities in lower case that are not consumers. Their reads, and those of the
    service, still show that the log works.
    """
    latest = max(versions, key=lambda version: version.created, default=None)
    if latest is None:
        return unknown(target, "the secret has no version", now)
    late = behind(reads, latest.version, latest.created)
    last = {read.identity: read for read in sorted(reads, key=lambda read: read.at)}
    shown = [
        _reader(read, behind=who in late)
        for who, read in last.items()
        if who.lower() not in ignored
    ]
    shown.sort(key=lambda reader: reader.read_at, reverse=True)
    usable = is_usable(reads, latest.created, now)
    return _reply(target, latest.version, shown, "" if usable else _quiet(), now)


def _reader(read: SecretRead, *, behind: bool) -> ReaderReply:
    return ReaderReply(
        identity=read.identity,
        resource=read.resource or None,
        read_at=read.at,
        version=read.version,
        behind=behind,
    )


def _quiet() -> str:
    return (
        "the log may not show all readers: it has no row that is younger than the latest version "
        f"and at most {durations.words(QUIET)} old; rows arrive up to 15 minutes late"
    )


def _reply(
    target: TargetId,
    latest: str | None,
    readers: list[ReaderReply] | None,
    problem: str,
    now: datetime,
) -> ReadersReply:
    return ReadersReply(
        at=now,
        vault=target.vault,
        secret=target.name,
        since=now - WITHIN,
        latest=latest,
        readers=readers,
        problem=problem,
    )
