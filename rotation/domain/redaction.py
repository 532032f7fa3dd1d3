"""Redacts anything in untrusted text that could be a key."""

from __future__ import annotations

import re

# The shortest keys have 32 hexadecimal digits. Ids with hyphens, such as GUIDs, are not touched.
_KEY_LIKE = re.compile(r"[A-Za-z0-9+/=_]{24,}")


def redact(text: str) -> str:
    """Return the text with each run that could be a key, or a part of one, replaced."""
    return _KEY_LIKE.sub("…", text)


def looks_like_key(text: str) -> bool:
    return _KEY_LIKE.search(text) is not None
