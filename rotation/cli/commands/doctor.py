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
EXIT_STATUSES = {"failed": ExitStatus.FAILING, "warning": ExitStatus.ATTENTION}


def doctor(url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Check the prerequisites and suggest a fix for each problem."""
    run_with_client(url, direct, lambda client: _doctor(client, as_json=as_json))


async def _doctor(client: ApiClient, *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", "doctor")
    if as_json:
        output.as_json(found)
    else:
        output.table(COLUMNS, map(_row, found["findings"]))
        _show_fixes(found["findings"])
    return EXIT_STATUSES.get(found["verdict"], ExitStatus.OK)


def _row(finding: Mapping[str, Any]) -> tuple[str, ...]:
    subject = str(finding["subject"]).removeprefix("https://").rpartition("/accounts/")[2]
    return finding["check"], finding["state"], subject, finding["detail"]


def _show_fixes(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print each distinct fix once."""
    fixes = dict.fromkeys(f["fix"] for f in findings if f["fix"] and f["state"] != "ok")
    for fix in fixes:
        output.echo(f"→ {fix}")
    if not fixes:
        output.echo("All checks passed.")
