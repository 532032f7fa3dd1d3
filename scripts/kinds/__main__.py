"""Writes docs/kinds.md: ``python -m scripts.kinds``."""

from __future__ import annotations

from .page import PAGE, rendered

if __name__ == "__main__":
    PAGE.write_text(rendered())
