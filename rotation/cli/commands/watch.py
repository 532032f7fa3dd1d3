"""The watch and cancel commands."""

from __future__ import annotations

from .. import output
from ..clients.protocol import ApiClient, change
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Reason, RotationId, Url
from ..progress import JsonLines, TextReport, follow
from ..run import run_with_client


def watch(
    rotation: RotationId, url: Url = "", direct: Direct = False, as_json: Json = False
) -> None:
    """Follow a rotation until it ends. With --json, print a document a line; the last is final."""
    report = JsonLines() if as_json else TextReport()
    run_with_client(url, direct, lambda client: follow(client, rotation, report, until_end=True))


def cancel(
    rotation: RotationId,
    reason: Reason,
    url: Url = "",
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Cancel a rotation that has not changed anything yet."""
    run_with_client(url, direct, lambda client: _cancel(client, rotation, reason, as_json=as_json))


async def _cancel(client: ApiClient, rotation: str, reason: str, *, as_json: bool) -> ExitStatus:
    path, query, look = f"rotations/{rotation}", {"reason": reason}, f"keyrotation watch {rotation}"
    if rotation.startswith("batch-"):
        path, query = "rotations", {"batch": rotation, **query}
        look = f"keyrotation rotations --batch {rotation}"
    found = await change(client, "DELETE", path, query=query, look=look)
    if as_json:
        output.as_json(found)
    elif "states" in found:
        output.echo(
            ", ".join(f"{count} {state}" for state, count in sorted(found["states"].items()))
        )
    else:
        output.echo(f"{rotation}: {found['state']}")
    return ExitStatus.OK
