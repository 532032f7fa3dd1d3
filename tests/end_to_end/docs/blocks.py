"""The fenced code blocks of a document."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A code block, with the place where it stands."""

    document: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(document: Path, language: str) -> list[Block]:
    """Return the document's blocks in a language, in their order."""
    text, name = document.read_text(), str(document.relative_to(ROOT))
    return [
        Block(name, text.count("\n", 0, found.start()) + 2, found[2], textwrap.dedent(found[3]))
        for found in _FENCE.finditer(text)
        if found[2] == language
    ]
