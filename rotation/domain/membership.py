"""Members: the secrets in which an account's key is published, as its record remembers them."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from .keys import Key, Keys

_USUAL = re.compile(r"[A-Za-z0-9]{32}|[A-Za-z0-9]{84}")


class Member(Struct, frozen=True):
    """A secret that was admitted.

    ``shown``: only because it showed a current key. ``leaves_at``: its address was removed, and
    this is when it stops being a member. ``withdrawn``: it is no longer bound. ``released``: a
    person confirmed that nobody needs the key that it still shows. ``expires`` is its expiry when
    it was first seen as a member: only that one counts until our first publish.
    """

    since: datetime
    shown: bool = False
    leaves_at: datetime | None = None
    withdrawn: bool = False
    released: bool = False
    expires: datetime | UnsetType | None = UNSET


def has_key_shape(value: Key, keys: Keys) -> bool:
    """Return whether a value could be a key of this account: the usual forms, or as ARM shows them.

    Azure documents no form (keys of 32 and 84 letters and digits are seen), so the account's own
    keys count too. Everything else is somebody's password, document or connection string.
    """
    text = value.reveal().strip()
    return bool(_USUAL.fullmatch(text)) or any(
        len(text) == len(key.reveal()) and _alphabet(text) <= _alphabet(key.reveal())
        for key in (keys.key1, keys.key2)
    )


def _alphabet(text: str) -> set[str]:
    """Return the kinds of characters: letters and digits are one, each other character is one."""
    return {"a" if c.isascii() and c.isalnum() else c for c in text}
