"""The demo's screen: the events, line by line, above the two key slots and the consumers."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..azure import Azure
from ..services.keyvault.errors import KeyVaultError
from .consumers import Tally


class Screen:
    """A live display on a terminal; plain lines if the output is piped."""

    def __init__(self, azure: Azure, tally: Tally, account: str, vault: str, secret: str) -> None:
        self._azure, self._tally = azure, tally
        self._account, self._vault, self._secret = account, vault, secret
        self._console = Console(highlight=False)
        self._started = time.monotonic()
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            refresh_per_second=8,
            transient=False,
        )
        azure.observers.append(self._observe)

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._azure.observers.remove(self._observe)
        if self._console.is_terminal:
            self._live.stop()

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        line = Text(f"{time.monotonic() - self._started:5.1f} s  ", style="dim")
        line.append(text, style=style)
        self._console.print(line)

    def report(self, text: str) -> None:
        """Print what the rotation service has done."""
        self.say(f"service    {text}", "green")

    def begin(self, chapter: str) -> None:
        """Start a chapter."""
        self.say(chapter, "bold")

    def _observe(self, what: str, detail: Any) -> None:
        """Print a change in Azure."""
        if what == "account.regenerated":
            _, slot = detail
            text = f"{slot} was regenerated; its old value no longer works"
            self.say(f"ARM        {text}", "red")
        elif what == "secret.set":
            _, secret, version = detail
            slot = self._slot(version.value)
            self.say(f"Key Vault  {secret.name} has a new version with {slot}", "green")
        elif what == "secret.updated" and not detail[2].enabled:
            self.say(f"Key Vault  an old version of {detail[1].name} was disabled", "yellow")

    def _slot(self, value: str) -> str:
        keys = self._azure.account(self._account).keys
        return next((slot for slot, key in keys.items() if key == value), "a revoked key")

    def _draw(self) -> Table:
        head = Table.grid(expand=True)
        head.add_column(ratio=1)
        head.add_column(ratio=1)
        head.add_row(self._slots(), self._consumers())
        return head

    def _slots(self) -> Panel:
        table = Table.grid(padding=(0, 2))
        account = self._azure.account(self._account)
        current = self._current()
        for slot, value in account.keys.items():
            live = value == current
            mark = Text("● live", "green") if live else Text("○ spare", "dim")
            table.add_row(slot, f"…{_hash(value)}", mark)
        published = self._slot(current) if current else "nothing yet"
        table.add_row("secret", "", Text(published, "red" if "revoked" in published else ""))
        return Panel(table, title=f"account {self._account}", title_align="left")

    def _current(self) -> str:
        try:
            return self._azure.secret(self._vault, self._secret).current.value
        except KeyVaultError:
            return ""

    def _consumers(self) -> Panel:
        table = Table.grid(padding=(0, 2))
        tally = self._tally
        apps = Text("  ").join(
            Text(f"● {name}", "green" if state == "ok" else "red")
            for name, state in sorted(tally.per_app.items())
        )
        table.add_row("apps", apps)
        table.add_row("requests", f"{tally.requests:,}")
        table.add_row("failed", Text(str(tally.failed), "red bold" if tally.failed else "green"))
        table.add_row("in outage", str(tally.outage))
        return Panel(table, title="consumers", title_align="left")

    def finish(self, title: str, rows: list[tuple[str, str]]) -> None:
        """Print the summary."""
        table = Table(title=title, title_justify="left", show_header=False)
        for name, value in rows:
            table.add_row(name, value)
        self._console.print(table)


def _hash(value: str) -> str:
    """Return a short hash, which tells two keys apart without showing them."""
    return hashlib.sha256(value.encode()).hexdigest()[:6]
