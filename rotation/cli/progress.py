"""Follows rotations: prints their progress until they end, are blocked, or wait for a long time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from . import interruption, output
from .clients.protocol import ApiClient, call
from .exit_status import ExitStatus

POLL_SECONDS = 1.0

# Stop following an emergency that is held for longer: the obstacle may last.
HELD_POLLS = 10

# With ``watch``, follow it longer: the obstacle may disappear.
WATCHED_POLLS = 60

# Stop following if the next step is further away than this.
LONG_WAIT = timedelta(minutes=5)

# A new request shows its account's earlier wait until the reconciler has looked at it.
PICK_UP_TIME = timedelta(minutes=1)


class Report(Protocol):
    """The output of a command that follows a rotation."""

    def show(self, found: Mapping[str, Any]) -> None:
        """Print what is new; called at each poll."""

    def finish(self, found: Mapping[str, Any]) -> None:
        """Print the last state."""


async def follow(
    client: ApiClient, rotation: str, report: Report, *, until_end: bool
) -> ExitStatus:
    """Report a rotation's progress. Return early at a long wait unless ``until_end``."""
    resume = f"Follow it again: keyrotation watch {rotation}"
    with interruption.explained("The rotation is not cancelled.", resume):
        found = await _followed(client, rotation, report, until_end)
    report.finish(found)
    return exit_status(found)


async def _followed(
    client: ApiClient, rotation: str, report: Report, until_end: bool
) -> Mapping[str, Any]:
    not_revoked, held = NotRevokedPrinter(), 0
    while True:
        found: Mapping[str, Any] = await call(client, "GET", f"rotations/{rotation}")
        report.show(found)
        not_revoked.show(found)
        held = held + 1 if found.get("notRevoked") else 0
        finished = found["state"] in ("ended", "cancelled", "blocked")
        if finished or (held > WATCHED_POLLS if until_end else rests(found, held)):
            return found
        await asyncio.sleep(POLL_SECONDS)


def already_requested(rotation: str) -> str:
    """Return what to say of a repeated request."""
    return f"Already requested; follow it with: keyrotation watch {rotation}"


def exit_status(found: Mapping[str, Any]) -> ExitStatus:
    """Return 0 unless a person must look: an old key was regenerated without proof, for example."""
    if found["state"] == "blocked" or found.get("notRevoked"):
        return ExitStatus.FAILING
    unknown = found.get("revoked", True) is None  # of an emergency
    is_unproven = unknown or ("proof" in found and not found.get("proven"))
    if found["state"] == "cancelled" or (found["state"] == "ended" and is_unproven):
        return ExitStatus.ATTENTION
    return ExitStatus.OK


class NotRevokedPrinter:
    """Prints each reason that a leaked key is not revoked, as soon as it is seen, and once."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, str]] = set()

    def show(self, found: Mapping[str, Any], prefix: str = "") -> None:
        held = found.get("notRevoked")
        if held and (found["id"], held["reason"]) not in self._shown:
            self._shown.add((found["id"], held["reason"]))
            output.error(f"{prefix}NOT REVOKED: {held['reason']}", held["remedy"])


class JsonReport:
    """Prints the last state as a JSON document."""

    def show(self, found: Mapping[str, Any]) -> None:
        """Print nothing yet."""

    def finish(self, found: Mapping[str, Any]) -> None:
        output.as_json(found)


class JsonLines:
    """Prints each state as a JSON document on its own line; the last line is the last state."""

    def __init__(self) -> None:
        self._last: Mapping[str, Any] = {}

    def show(self, found: Mapping[str, Any]) -> None:
        if found != self._last:
            output.as_json_line(found)
        self._last = found

    def finish(self, found: Mapping[str, Any]) -> None:
        """Print nothing: the last state was shown already."""


class TextReport:
    """Prints a rotation's audit entries, each once, and in the end the result."""

    def __init__(self) -> None:
        self.entries = 0
        self.waiting_for = ""

    def show(self, found: Mapping[str, Any]) -> None:
        audit = found.get("audit", [])
        for entry in audit[self.entries :]:
            output.echo(f"{output.format_time(entry['at'])}  {entry['what']}")
        self.entries = len(audit)
        waiting_for = found.get("waitingFor", "")
        if waiting_for and waiting_for != self.waiting_for and found["state"] == "running":
            output.echo(f"{' ' * 22}{waiting_for}")
            self.waiting_for = waiting_for

    def finish(self, found: Mapping[str, Any]) -> None:
        _print_result(found)


def rests(found: Mapping[str, Any], held: int) -> bool:
    """Return whether nothing happens soon. It was seen as not revoked ``held`` times in a row."""
    if held:
        return held > HELD_POLLS
    now = datetime.now(UTC)
    if found["state"] == "waiting" and now - _time(found, "requestedAt") < PICK_UP_TIME:
        return False
    return _time(found, "waitingUntil") - now > LONG_WAIT


def _time(found: Mapping[str, Any], member: str) -> datetime:
    text = found.get(member)
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)


def _print_result(found: Mapping[str, Any]) -> None:
    name, held = found["id"], found.get("notRevoked")
    if held:
        output.echo(f"The service keeps trying. Follow it with: keyrotation watch {name}")
    elif found["state"] == "blocked":
        output.error(f"Blocked: {found['trouble']['message']}", found["trouble"]["remedy"])
        output.echo(f"Then: keyrotation resume {name}  (or: abandon {name})")
    elif found["state"] == "ended":
        output.echo(f"Done: {found.get('outcome', '')}")
    elif found["state"] == "cancelled":
        output.echo("Cancelled.")
    else:
        until = output.format_time(found["waitingUntil"])
        output.echo(
            f"Waiting until {until}: {found.get('waitingFor', '')}",
            f"The service continues in the background. Follow it with: keyrotation watch {name}",
        )
