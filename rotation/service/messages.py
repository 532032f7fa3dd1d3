"""Messages of the work queue: small JSON objects with ids and times, never a key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..domain import codec, envelopes, events
from ..domain.events import Expiring
from ..domain.ids import AccountId, TargetId


class Visit(Struct, frozen=True):
    """Visit this account. ``wake`` is set if an earlier visit asked to be continued then.

    ``tries`` counts visits in a row that could not be finished. ``routine``: a sweep looks whether
    anything has changed.
    """

    account: AccountId
    targets: tuple[TargetId, ...] = ()
    wake: datetime | None = None
    tries: int = 0
    routine: bool = False


class ExpiryNotice(Struct, frozen=True):
    """A secret is about to expire: find its account. ``tries`` counts failed attempts."""

    event: Expiring
    tries: int = 0


Message = Visit | ExpiryNotice

_MOST_TRIES = 1000

_KINDS: Mapping[str, type[Visit] | type[ExpiryNotice]] = {"visit": Visit, "look": ExpiryNotice}


def dump(message: Message) -> str:
    """Return a message as JSON, under the name of its kind."""
    kind = "visit" if isinstance(message, Visit) else "look"
    return codec.dump({kind: message}).decode()


def load(text: str) -> Message | list[Mapping[str, Any]]:
    """Return the message, or the events that Event Grid has put into the queue.

    Raises ValueError for anything else, so that it becomes poison instead of vanishing.
    """
    body = envelopes.json_or_base64(text)
    for name, kind in _KINDS.items():
        if isinstance(body, dict) and set(body) == {name}:
            return _checked(codec.load(kind, _encoded(body[name])))
    return envelopes.unwrap(body)


def _encoded(body: Any) -> bytes:
    try:
        return codec.dump(body)
    except (OverflowError, RecursionError):
        raise ValueError("the message has a number or a nesting that no message has") from None


def _checked(message: Message) -> Message:
    """Return a message that names what can exist: nothing else may become part of a URL."""
    if not 0 <= message.tries < _MOST_TRIES:
        raise ValueError("the message has an impossible number of tries")
    if isinstance(message, ExpiryNotice):
        names = [message.event.secret]
    else:
        names = [target.name for target in message.targets]
        if AccountId.parse(str(message.account)) != message.account:
            raise ValueError("the message does not name an account")
    if not all(map(events.is_secret_name, names)):
        raise ValueError("the message does not name a secret")
    return message
