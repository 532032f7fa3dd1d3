"""What a person sees: tables and sentences on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

LONG_AGO = "1970-01-01T00:00:00+00:00"

WIDE = 240  # in a pipe nothing is cut

COLOURS = {
    "failing": "bold red",
    "refused": "red",
    "drifted": "yellow",
    "due": "yellow",
    "failed": "bold red",
    "warning": "yellow",
    "blocked": "bold red",
    "healthy": "green",
    "ok": "green",
    "ended": "green",
}


def terminal(stderr: bool = False) -> Console:
    """Made anew for each command, so that a pipe or a test's own stream is noticed."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDE, highlight=False)


def say(*lines: str) -> None:
    """Plain sentences; what they quote is never read as markup."""
    for line in lines:
        terminal().print(escape(line), soft_wrap=True)


def warn(line: str, remedy: str = "") -> None:
    """To the error stream, so that a pipe carries answers only."""
    screen = terminal(stderr=True)
    screen.print(f"[bold red]{escape(line)}[/]", soft_wrap=True)
    if remedy:
        screen.print(f"  → {escape(remedy)}", soft_wrap=True)


def show_json(body: Any) -> None:
    """The API's own JSON."""
    print(json.dumps(body, indent=2, ensure_ascii=False))


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Words of a state have their colour wherever they stand alone in a cell."""
    screen = terminal()
    box = SIMPLE_HEAD if screen.is_terminal else None
    shown = Table(*columns, box=box, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    screen.print(shown)


def _cell(value: Any) -> str:
    text = "" if value is None else escape(str(value))
    return f"[{COLOURS[text]}]{text}[/]" if text in COLOURS else text


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream, where that is a terminal; ``(done, of)`` moves it."""
    screen = terminal(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def moment(text: str | None) -> str:
    """An ISO time for people: to the second, in UTC."""
    if not text:
        return ""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%SZ")


def days(number: float | None) -> str:
    return "" if number is None else f"{number:g} d"


def facts(body: Mapping[str, Any]) -> None:
    """Names and values, one a line; what is not known is left out."""
    shown = {name: value for name, value in body.items() if value not in (None, "", [])}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        say(f"{name:<{width}}  {value}")
