"""The reply about a key that somebody has found."""

from __future__ import annotations

from enum import StrEnum

from msgspec import UNSET, UnsetType

from ...domain.keys import Slot
from .reply import Reply


class KeyUse(StrEnum):
    """The state of a key that was found."""

    VALID = "valid"
    FORMER = "former"


class IdentificationReply(Reply, frozen=True, kw_only=True):
    """The account of a key, or how far the search has come.

    ``checked`` of ``total`` secrets and accounts were looked at, of which ``unread`` could not be
    read. Unless ``isComplete``, repeat the request with ``done`` set to ``checked``. A ``former``
    key has no slot: it was replaced. ``phase`` is that of the account.
    """

    found: bool
    is_complete: bool
    checked: int
    total: int
    unread: int
    account: str | UnsetType = UNSET
    slot: Slot | UnsetType = UNSET
    use: KeyUse | UnsetType = UNSET
    phase: str | UnsetType = UNSET
