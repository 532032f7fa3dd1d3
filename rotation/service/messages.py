"""Messages of the work queue: small JSON objects with ids and times, never a key."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..domain import codec, events
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

    Raises ValueError for anything else, so that it becomes poison instead of vanishing.
    """
    body = _json(text)
    for name, kind in _KINDS.items():
        if isinstance(body, dict) and set(body) == {name}:
            return _checked(codec.load(kind, codec.dump(body[name])))
    found = body if isinstance(body, list) else [body]
    if not found or not all(map(events.is_event, found)):
        raise ValueError("the message is neither one of this service nor an event")
    return found


def _checked(message: Message) -> Message:
    """Return a message that names what can exist: nothing else may become part of a URL."""
    if isinstance(message, ExpiryNotice):
        names = [message.event.secret]
    else:
        names = [target.name for target in message.targets]
        if AccountId.parse(str(message.account)) != message.account:
            raise ValueError("the message does not name an account")
    if not all(map(events.is_secret_name, names)):
        raise ValueError("the message does not name a secret")
    return message


def _json(text: str) -> Any:
    """Parse JSON, in Base64 or not: Event Grid may encode its messages."""
    text = text.strip().removeprefix("\ufeff")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, RecursionError):
        raise ValueError("the message is not JSON") from None
