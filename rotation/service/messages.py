"""What travels through the work queue: small JSON objects that name things, never a key."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain import codec
from ..domain.events import Expiring
from ..domain.model import AccountId, TargetId


@dataclass(frozen=True)
class Visit:
    """Look at this account. ``wake`` is set where a step asked to be continued then."""

    account: AccountId
    targets: tuple[TargetId, ...] = ()
    wake: datetime | None = None


@dataclass(frozen=True)
class Look:
    """A secret nears expiry: find its account. ``tries`` counts failed attempts."""

    event: Expiring
    tries: int = 0


Message = Visit | Look

_KINDS: Mapping[str, type[Visit] | type[Look]] = {"visit": Visit, "look": Look}


def dump(message: Message) -> str:
    kind = "visit" if isinstance(message, Visit) else "look"
    return codec.dump({kind: message}).decode()


def load(text: str) -> Message | list[Any]:
    """The message; or events, as an Event Grid subscription or a dead letter puts them there.

    Raises ValueError for anything else.
    """
    body = _json(text)
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise ValueError("the message is no JSON object")
    for name, kind in _KINDS.items():
        if set(body) == {name}:
            return codec.load(kind, codec.dump(body[name]))
    return [body]


def _json(text: str) -> Any:
    """Event Grid may encode what it delivers to a queue, so both forms are read."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the message is no JSON") from None
