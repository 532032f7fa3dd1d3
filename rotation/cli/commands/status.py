"""The status command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from .. import health, output
from ..arguments import secret_name, vault_name
from ..clients.protocol import ApiClient, call
from ..exit_status import CommandError, ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client

COLUMNS = ("STATE", "KEY", "EXPIRES", "NEXT", "", "SECRET")
ALL_COLUMNS = (
    "SECRET",
    "STATE",
    "KEY",
    "AGE",
    "EXPIRES IN",
    "NEXT",
    "WHEN",
    "WAITING FOR",
    "REMEDY",
)

States = Annotated[
    list[str] | None, typer.Option("--state", help="Only secrets in this state; may be repeated.")
]
Vaults = Annotated[
    list[str] | None, typer.Option("--vault", help="Only secrets of this vault; may be repeated.")
]
Problems = Annotated[bool, typer.Option("--problems", help="Only secrets that need attention.")]


@dataclass(frozen=True)
class Filter:
    """A selection of secrets. An empty set shows all."""

    states: frozenset[str]
    vaults: frozenset[str]
    problems: bool

    def shows(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of ``GET /api/secrets`` is shown."""
        return (
            (not self.states or row["state"] in self.states)
            and (not self.vaults or vault_name(row["vault"]) in self.vaults)
            and (not self.problems or health.is_problem(row))
        )


def status(
    state: States = None,
    vault: Vaults = None,
    problems: Problems = False,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Show each secret's state, the worst first. Exit status: 0 healthy, 1 attention, 2 failing."""
    states = frozenset(map(_known, state or ()))
    vaults = frozenset(vault_name(one).lower() for one in vault or ())
    shown = Filter(states, vaults, problems)
    run_with_client(url, direct, lambda client: _status(client, shown, as_json=as_json))


def _known(state: str) -> str:
    if state.lower() in health.SEVERITY:
        return state.lower()
    raise CommandError(
        ExitStatus.USAGE, f"{state!r} is not a state.", f"Use {', '.join(health.SEVERITY)}."
    )


async def _status(client: ApiClient, shown: Filter, *, as_json: bool) -> ExitStatus:
    fleet = await call(client, "GET", "secrets")
    verdict = health.of_verdict(fleet)
    for vault in sorted(shown.vaults - {vault_name(row["vault"]) for row in fleet["secrets"]}):
        output.error(f"! no secret in the vault {vault!r} is enrolled")
    rows = sorted(filter(shown.shows, fleet["secrets"]), key=health.severity)
    if as_json:
        verdict_of = fleet["verdict"]
        members = {"verdict": verdict_of["level"], "worries": verdict_of["reasons"]}
        output.as_json({**fleet, **members, "secrets": rows})
    elif output.is_terminal():
        _show(fleet, rows)
    else:
        output.table(ALL_COLUMNS, map(_all, rows))
        for reason in fleet["verdict"]["reasons"]:
            output.error(f"! {reason}")
    return verdict


def _show(fleet: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line for each secret, what it waits for, and the verdict."""
    if not fleet["secrets"]:
        output.echo("No secret is enrolled yet: keyrotation enrol --help")
    if rows:
        output.table(COLUMNS, map(_short, rows), below=_notes(rows))
    hidden = len(fleet["secrets"]) - len(rows)
    if hidden and not rows:
        output.echo(f"No secret matches; {hidden} not shown.")
    elif hidden:
        output.echo(f"{output.count(hidden, 'other secret')} not shown.")
    unmanaged = len(fleet["unmanaged"]["accounts"]) + len(fleet["unmanaged"]["secrets"])
    if unmanaged:
        output.echo(f"{unmanaged} unmanaged accounts or secrets: keyrotation discover")
    for reason in fleet["verdict"]["reasons"]:
        output.echo(f"! {reason}")
    if not fleet["verdict"]["reasons"]:
        output.echo("Everything is healthy.")


def _short(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the cells that fit in 80 columns; the name comes last, so that it is never cut."""
    return (
        row["state"],
        row["slot"],
        output.format_days(row["expiresInDays"]),
        row["next"],
        output.format_time(row["nextAt"])[:10],
        secret_name(row["vault"], row["secret"]),
    )


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the lines below each row: what is wrong, and each remedy once."""
    given = set[str]()
    for row in rows:
        lines = []
        if health.is_problem(row) or row["state"] == "paused":
            lines.append(row["error"]["message"] if row["error"] else row["why"])
        remedy = row["error"]["remedy"] if row["error"] else ""
        if remedy and remedy not in given:
            lines.append(f"→ {remedy}")
            given.add(remedy)
        yield [line for line in lines if line]


def _all(row: Mapping[str, Any]) -> tuple[Any, ...]:
    error = row["error"]
    return (
        secret_name(row["vault"], row["secret"]),
        row["state"],
        row["slot"],
        output.format_days(row["ageDays"]),
        output.format_days(row["expiresInDays"]),
        row["next"],
        output.format_time(row["nextAt"]),
        error["message"] if error else row["why"],
        error["remedy"] if error else "",
    )
