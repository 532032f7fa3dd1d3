"""Replies about the audit trail."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ...domain.keys import Slot
from .reply import Reply, Time
from .rotation import RotationReply


class AuditVersionReply(Reply, frozen=True, kw_only=True):
    """The last version of a secret that an operation published."""

    secret: str
    version: str
    created: Time


class AuditRecordReply(Reply, frozen=True, kw_only=True):
    """An operation that has ended. Fingerprints are salted: they tell keys apart, and no more.

    ``leaked`` are the fingerprints of leaked keys, with another salt for each emergency.
    """

    rotation: RotationReply
    published_slot: Slot | UnsetType = UNSET
    revoked_slot: Slot | UnsetType = UNSET
    new_fingerprint: str | UnsetType = UNSET
    old_fingerprint: str | UnsetType = UNSET
    versions: list[AuditVersionReply]
    leaked: list[str]


class AuditReply(Reply, frozen=True, kw_only=True):
    """A page of the audit trail, the oldest first. ``next`` is ``after`` of the following page.

    ``unread`` are documents that cannot be read, so that their operations are missing.
    """

    records: list[AuditRecordReply]
    next: str | UnsetType = UNSET
    unread: list[str]
