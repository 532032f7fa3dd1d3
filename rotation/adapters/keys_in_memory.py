"""The keys that this process holds now, so that no text of a service shows a part of one."""

from __future__ import annotations

import re
from weakref import WeakValueDictionary

from ..domain.keys import Key
from ..domain.redaction import redact, without_keys

# Other secrets, such as words, would remove ordinary text.
_KEY = re.compile(r"[A-Za-z0-9]{32,}")

_alive: WeakValueDictionary[int, Key] = WeakValueDictionary()


def key(value: str) -> Key:
    """Return the value as a key that is known for as long as it is in memory."""
    made = Key(value)
    if _KEY.fullmatch(value):
        _alive[id(made)] = made
    return made


def hide_known(text: str) -> str:
    """Return the text without parts of known keys."""
    return without_keys(text, {known.reveal() for known in list(_alive.values())})


def hide(text: str) -> str:
    """Return a service's text without parts of known keys, and without what looks like a key."""
    return hide_known(redact(text))
