"""Prints tables, sentences and JSON: in colour on a terminal, as plain text in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate, chain, repeat
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.text import Text

GAP = "  "
INDENT = "    "

COLOURS = {
    "failing": "bold red",
    "refused": "red",
    "unknown": "yellow",
    "drifted": "yellow",
    "due": "yellow",
    "failed": "bold red",
    "warning": "yellow",
    "blocked": "bold red",
    "healthy": "green",
    "ok": "green",
    "ended": "green",
}


def console(stderr: bool = False) -> Console:
    """Return a console on the current stream; a test or a pipe may have replaced it."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False)


def echo(*lines: str) -> None:
    """Print lines as they are; text that they quote is never read as markup."""
    for line in lines:
        console().print(escape(line), soft_wrap=True)


def error(line: str, remedy: str = "") -> None:
    """Print an error and its remedy to standard error, so that a pipe carries only results."""
    stream = console(stderr=True)
    stream.print(f"[bold red]{escape(line)}[/]", soft_wrap=True)
    if remedy:
        stream.print(f"  → {escape(remedy)}", soft_wrap=True)


def as_json(body: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(body, indent=2, ensure_ascii=False))


def as_json_line(body: Any) -> None:
    """Print a JSON document on one line, at once."""
    print(json.dumps(body, ensure_ascii=False), flush=True)


def is_terminal() -> bool:
    """Return whether a person reads the output, not a pipe or a file."""
    return console().is_terminal


def table(
    columns: Iterable[str], rows: Iterable[Iterable[Any]], below: Iterable[Sequence[str]] = ()
) -> None:
    """Print a table; in a pipe, tab-separated values.

    On a narrow terminal, columns that do not fit go below each row. ``below`` has, for each row,
    more lines for a terminal.
    """
    stream = console()
    if not stream.is_terminal:
        for row in (columns, *rows):
            print("\t".join(" ".join(cell.split()) for cell in _cells(row)))
        return
    for line in layout(columns, rows, stream.width, below):
        stream.print(line, soft_wrap=True)


def _cells(row: Iterable[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in row]


def layout(
    columns: Iterable[str],
    rows: Iterable[Iterable[Any]],
    width: int,
    below: Iterable[Sequence[str]] = (),
) -> Iterator[Text]:
    """Yield a table's lines. A cell that contains only a state has its colour."""
    cells = [_cells(row) for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, (row, more) in enumerate(zip(cells, chain(((),), below, repeat(())), strict=False)):
        style = "" if number else "bold"
        fitting = _fitting([*widths[:-1], len(row[-1])], width)
        yield _line(row[:fitting], widths, style)
        if any(row[fitting:]):
            yield Text(INDENT) + _line(row[fitting:], widths[fitting:], style)
        yield from (Text(INDENT + line) for line in more)


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns fit, at least one."""
    ends = accumulate(widths, lambda end, size: end + len(GAP) + size)
    return max(1, sum(end <= width for end in ends))


def _line(row: Sequence[str], widths: Sequence[int], style: str) -> Text:
    padded = (
        Text(text.ljust(size), COLOURS.get(text, style))
        for text, size in zip(row, widths, strict=False)
    )
    line = Text(GAP).join(padded)
    line.rstrip()
    return line


def count(number: int, noun: str) -> str:
    """Return a number with its noun, for example ``1 account`` or ``2 accounts``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fields(body: Mapping[str, Any]) -> None:
    """Print names and values, one a line, without empty values."""
    filled = {name: value for name, value in body.items() if value not in (None, "", [])}
    width = max(map(len, filled), default=0)
    for name, value in filled.items():
        echo(f"{name:<{width}}  {value}")


def steps(effects: Iterable[str]) -> None:
    """Print numbered steps."""
    for number, effect in enumerate(effects, 1):
        echo(f"  {number}. {effect}")


class Advance(Protocol):
    """Moves a bar. ``what`` replaces its title."""

    def __call__(self, done: int, total: int, what: str = "") -> None: ...


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show a bar on standard error if that is a terminal."""
    stream = console(stderr=True)
    with Progress(console=stream, transient=True, disable=not stream.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int, what: str = "") -> None:
            bar.update(task, completed=done, total=total, description=escape(what or title))

        yield advance


def format_time(text: str | None) -> str:
    """Return an ISO 8601 time to the second in UTC; nothing if absent."""
    if not text:
        return ""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%SZ")


def format_days(number: float | None) -> str:
    """Return a number of days, for example ``71 d``; nothing if absent."""
    return "" if number is None else f"{number:g} d"
