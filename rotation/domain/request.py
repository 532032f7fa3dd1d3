"""Requests in the journal."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from .keys import Slot


class Leaked(StrEnum):
    """The key reported as leaked."""

    KEY1 = "key1"
    KEY2 = "key2"
    UNKNOWN = "unknown"
    NONE = "none"

    @property
    def slot(self) -> Slot | None:
        return {Leaked.KEY1: Slot.KEY1, Leaked.KEY2: Slot.KEY2}.get(self)


class RequestKind(StrEnum):
    EXPIRY = "expiry"
    MANUAL = "manual"
    EMERGENCY = "emergency"
    RESUME = "resume"
    ABANDON = "abandon"
    CANCEL = "cancel"


OPERATOR_ANSWERS = (RequestKind.RESUME, RequestKind.ABANDON, RequestKind.CANCEL)


class Request(Struct, frozen=True):
    """A request in the journal. Triggers only write requests; the reconciler acts on them."""

    id: str
    kind: RequestKind
    reason: str
    requester: str
    at: datetime
    leaked: Leaked = Leaked.NONE
    overlap: timedelta | None = None
    idempotency_key: str | None = None
    secret: str | None = None
    version: str | None = None
    role: str | None = None
    request_id: str | None = None
