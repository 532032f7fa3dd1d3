"""Replaces members of modules and classes for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

Patch = tuple[Any, str, Any]  # owner, member, replacement


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    with ExitStack() as undo:
        for owner, member, replacement in patches:
            undo.callback(setattr, owner, member, getattr(owner, member))
            setattr(owner, member, replacement)
        yield
