"""Replies about one secret or one account."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

from .fleet import RowReply
from .preview import PreviewReply
from .reply import Reply, Time
from .rotation import RotationReply


class VersionReply(Reply, frozen=True, kw_only=True):
    """A version of a secret, without its value."""

    version: str
    created: Time
    expires: Time | None
    enabled: bool
    slot: str | None
    rotation: str | None
    reason: str | None


class SettingReply(Reply, frozen=True, kw_only=True):
    """A setting in force; ``source`` is the tag or the setting that it comes from."""

    name: str
    value: str
    source: str


class SecretReply(Reply, frozen=True, kw_only=True):
    """One secret, its next action, its versions and its rotations."""

    at: Time
    secret: RowReply
    now: PreviewReply | None
    versions: list[VersionReply]
    rotations: list[RotationReply]
    problems: list[str]
    settings: list[SettingReply]


class ReaderReply(Reply, frozen=True, kw_only=True):
    """The last read of a secret by an identity; ``version`` is None if the log has none.

    ``resource`` is the ARM id of a managed identity or of its app, None if the log has none.
    ``behind``: it has not read the latest version.
    """

    identity: str
    resource: str | None
    read_at: Time
    version: str | None
    behind: bool


class ReadersReply(Reply, frozen=True, kw_only=True):
    """The readers of a secret since a time, by the vault's audit log; the last reader first.

    ``readers`` is None if that is not known. ``problem`` says why, or why the log may not show all.
    """

    at: Time
    vault: str
    secret: str
    since: Time
    latest: str | None
    readers: list[ReaderReply] | None
    problem: str


class HeldReply(Reply, frozen=True, kw_only=True):
    """The pause of a secret's scheduled rotations."""

    vault: str
    secret: str
    paused: bool


class ReleasedReply(Reply, frozen=True, kw_only=True):
    """A secret that is no longer bound, and whose key may be regenerated before the bound."""

    vault: str
    secret: str
    account: str
    will: str
    dry_run: bool


class SpanReply(Reply, frozen=True, kw_only=True):
    """A period in which a slot's key was published, and until when it still worked."""

    since: Time = field(name="from")
    until: Time | None
    overlap_until: Time | None
    operation: str


class SlotsReply(Reply, frozen=True, kw_only=True):
    """The periods of each slot, the oldest first."""

    key1: list[SpanReply] = field(name="Key1")
    key2: list[SpanReply] = field(name="Key2")


class NextReply(Reply, frozen=True, kw_only=True):
    """The account's phase, what it waits for, and until when."""

    what: str
    why: str
    at: Time | UnsetType = UNSET


class AccountReply(Reply, frozen=True, kw_only=True):
    """An account's keys over time, and its operations."""

    account: str
    slug: str
    at: Time
    slots: SlotsReply
    next: NextReply
    running: RotationReply | None
    waiting: list[RotationReply]
    history: list[RotationReply]
