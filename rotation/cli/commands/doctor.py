"""The doctor command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import output
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Url
from ..run import run_with_client

COLUMNS = ("CHECK", "STATE", "SUBJECT", "RESULT")
VERDICTS = ("ok", "unknown", "warning", "failed")  # the best first
EXIT_STATUSES = {"failed": ExitStatus.FAILING, "warning": ExitStatus.ATTENTION}


def doctor(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Check the prerequisites and suggest a fix for each problem."""
    run_with_client(url, direct, lambda client: _doctor(client, as_json=as_json))


async def _doctor(client: ApiClient, *, as_json: bool) -> ExitStatus:
    with output.progress("accounts") as advance:
        found = await _part(client, 0)
        while found["checked"] < found["total"]:
            advance(found["checked"], found["total"])
            found = _joined(found, await _part(client, found["checked"]))
    if as_json:
        output.as_json(found)
    else:
        _show(found["findings"])
    return EXIT_STATUSES.get(found["verdict"], ExitStatus.OK)


async def _part(client: ApiClient, done: int) -> dict[str, Any]:
    """Return a part of the findings. A service of an earlier version returns all it has at once."""
    found: dict[str, Any] = await call(client, "GET", "doctor", query={"done": str(done)})
    return {"checked": 0, "total": 0, **found}


def _joined(before: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    verdict = max(before["verdict"], part["verdict"], key=VERDICTS.index)
    return {**part, "verdict": verdict, "findings": [*before["findings"], *part["findings"]]}


def _row(finding: Mapping[str, Any]) -> tuple[str, ...]:
    subject = str(finding["subject"]).removeprefix("https://").rpartition("/accounts/")[2]
    return finding["check"], finding["state"], subject, finding["detail"]


def _show(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print the findings, each distinct fix once: below its row, in a pipe in a column."""
    fixes = _fixes(findings)
    rows = list(map(_row, findings))
    if output.is_terminal():
        output.table(COLUMNS, rows, below=[[f"→ {fix}"] if fix else [] for fix in fixes])
    else:
        output.table((*COLUMNS, "FIX"), [(*row, fix) for row, fix in zip(rows, fixes, strict=True)])
    if not any(fixes):
        output.echo("All checks passed.")


def _fixes(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fix of each finding; nothing if an earlier one has the same."""
    wanted = [f["fix"] if f["state"] != "ok" else "" for f in findings]
    return [fix if fix not in wanted[:at] else "" for at, fix in enumerate(wanted)]
