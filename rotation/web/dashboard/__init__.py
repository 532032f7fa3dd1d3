"""Placeholder until the page is merged."""

from __future__ import annotations


def page() -> tuple[str, str]:
    """The HTML and its content security policy."""
    raise NotImplementedError
