"""Messages of the work queue: small JSON objects with ids and times, never a key."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..domain import codec
from ..domain.events import Expiring
from ..domain.ids import AccountId, TargetId


class Visit(Struct, frozen=True):
    """Visit this account. ``wake`` is set if an earlier visit asked to be continued then.

    ``tries`` counts visits in a row that could not be finished.
    """

    account: AccountId
    targets: tuple[TargetId, ...] = ()
    wake: datetime | None = None
    tries: int = 0


class ExpiryNotice(Struct, frozen=True):
    """A secret is about to expire: find its account. ``tries`` counts failed attempts."""

    event: Expiring
    tries: int = 0


Message = Visit | ExpiryNotice

_KINDS: Mapping[str, type[Visit] | type[ExpiryNotice]] = {"visit": Visit, "look": ExpiryNotice}


def dump(message: Message) -> str:
    """Return a message as JSON, under the name of its kind."""
    kind = "visit" if isinstance(message, Visit) else "look"
    return codec.dump({kind: message}).decode()


def load(text: str) -> Message | list[Any]:
    """Return the message, or the events that Event Grid has put into the queue.

    Raises ValueError for anything else.
    """
    body = _json(text)
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise ValueError("the message is not a JSON object")
    for name, kind in _KINDS.items():
        if set(body) == {name}:
            return codec.load(kind, codec.dump(body[name]))
    return [body]


def _json(text: str) -> Any:
    """Parse JSON, in Base64 or not: Event Grid may encode its messages."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the message is not JSON") from None
