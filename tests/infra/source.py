"""Bicep as text and as pycep's tree, with what the checks ask of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pycep

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
EXAMPLES = ROOT / "examples"
_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'(?:\\.|[^'\\])*')"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<other>\S)",
    re.S,
)
_INTERPOLATION = re.compile(r"\$\{([^}]*)\}")
_LOOP = re.compile(r"\[for\s+(?:\((\w+),\s*(\w+)\)|(\w+))\s+in\b")
_LAMBDA = re.compile(r"(?:\((\w+(?:,\s*\w+)*)\)|\b(\w+))\s*=>")
_DECLARED = re.compile(r"^(?:param|var|resource|module)\s+(\w+)", re.M)
_WORDS = frozenset(
    [
        *("param", "var", "resource", "module", "output", "existing", "if", "for", "in"),
        *("true", "false", "null", "string", "int", "bool", "object", "array"),
        *("targetScope", "dependsOn"),
    ]
)


@dataclass(frozen=True)
class Source:
    """One file. ``path`` is relative to infra/."""

    path: str
    text: str

    @cached_property
    def tree(self) -> dict[str, Any]:
        """Raises where pycep cannot parse it."""
        found: Any = pycep.BicepParser().parse(text=self.text)
        return dict(found)

    @cached_property
    def code(self) -> str:
        """The text without comments, and of its strings only what is interpolated."""
        return _TOKEN.sub(_bare, self.text)

    @property
    def symbols(self) -> set[str]:
        """What may be named in it: declarations, loop variables, parameters of lambdas."""
        loops = {name for found in _LOOP.findall(self.code) for name in found if name}
        lambdas = {n for f in _LAMBDA.findall(self.code) for p in f for n in re.findall(r"\w+", p)}
        return {*_DECLARED.findall(self.code), *loops, *lambdas}

    @property
    def names(self) -> Iterator[str]:
        """Every word that stands for something declared: no member, no member's name, no call."""
        code = self.code
        for found in re.finditer(r"(?<![\w.])[A-Za-z_]\w*", code):
            before = code[: found.start()].rstrip()
            after = code[found.end() :].lstrip(" ")
            if before.endswith(".") or after.startswith("("):
                continue
            if after.startswith(":") and not (_ternary(code, found) or before.endswith(" in")):
                continue
            if found[0] not in _WORDS and not _is_declared_here(code, found):
                yield found[0]

    def resolve(self, path: str) -> str:
        """A path in this file, relative to infra/."""
        folder = posixpath.join("/repository/infra", posixpath.dirname(self.path))
        return posixpath.relpath(posixpath.join(folder, path), "/repository/infra")


def _bare(token: re.Match[str]) -> str:
    if token["comment"]:
        return " "
    if token["string"]:
        inside = " , ".join(_INTERPOLATION.findall(token[0]))
        return f" ({re.sub(_TOKEN, _bare, inside)}) " if inside else " '' "
    return token[0]


def _ternary(code: str, found: re.Match[str]) -> bool:
    """``a ? b : c``: here a colon after a word does not make it the name of a member."""
    if not code[found.end() :].lstrip(" ").startswith(":"):
        return False
    line = code[code.rfind("\n", 0, found.start()) + 1 : found.start()]
    return "?" in line


def _is_declared_here(code: str, found: re.Match[str]) -> bool:
    before = code[: found.start()].rstrip(" ")
    line = before[before.rfind("\n") + 1 :]
    return bool(re.fullmatch(r"(param|var|resource|module|output)", line.strip())) or bool(
        re.match(r"\s*(param|output)\s+\w+$", line)
    )


def sources() -> dict[str, Source]:
    """Return all Bicep of infra/ and examples/ by its path relative to infra/."""
    paths = [*sorted(INFRA.rglob("*.bicep")), *sorted(EXAMPLES.rglob("*.bicep"))]
    return of({posixpath.relpath(path, INFRA): path.read_text() for path in paths})


def of(files: Mapping[str, str]) -> dict[str, Source]:
    """Texts by path, for a test's own."""
    return {name: Source(name, text) for name, text in files.items()}
