"""Redacts anything in untrusted text that could be a key."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from itertools import groupby

# The shortest keys have 32 hexadecimal digits. Ids with hyphens, such as GUIDs, are not touched.
_LEAST = 24

_KEY_LIKE = re.compile(rf"[A-Za-z0-9+/=_]{{{_LEAST},}}")

# The shortest part of a known key that is not shown.
FRAGMENT = 8

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def redact(text: str) -> str:
    """Return the text with each run that could be a key, or a part of one, replaced."""
    return _KEY_LIKE.sub(lambda run: run[0] if _is_path(run[0]) else "…", text)


def looks_like_key(text: str) -> bool:
    return redact(text) != text


def without_keys(text: str, keys: Iterable[str]) -> str:
    """Return the text without any part of these keys that has 8 characters or more.

    The case is ignored.
    """
    known = {part for key in keys for part in _parts(_folded(key))}
    hidden: set[int] = set()
    for start, part in enumerate(_parts(_folded(text))):
        if part in known:
            hidden.update(range(start, start + FRAGMENT))
    runs = groupby(enumerate(text), lambda found: found[0] in hidden)
    return "".join("…" if is_hidden else "".join(c for _, c in run) for is_hidden, run in runs)


def _folded(text: str) -> str:
    """Return the text in lower case; its length does not change."""
    return text.translate(_LOWER)


def _parts(text: str) -> Iterable[str]:
    return (text[at : at + FRAGMENT] for at in range(len(text) - FRAGMENT + 1))


def _is_path(run: str) -> bool:
    """Return whether a run is a part of a resource id: names, each shorter than a key."""
    plain = not set("+=") & set(run)
    return plain and all(len(name) < _LEAST for name in run.split("/"))
