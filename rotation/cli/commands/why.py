"""The why command."""

from __future__ import annotations

from .. import health, output
from ..arguments import SecretArgument, secret_name
from ..clients.protocol import ApiClient, call
from ..exit_status import ExitStatus
from ..parameters import Direct, Json, Secret, Url
from ..run import run_with_client


def why(secret: Secret, url: Url = "", direct: Direct = False, as_json: Json = False) -> None:
    """Explain what a secret's next step is waiting for."""
    argument = SecretArgument.parse(secret)
    run_with_client(url, direct, lambda client: _why(client, argument, as_json=as_json))


async def _why(client: ApiClient, secret: SecretArgument, *, as_json: bool) -> ExitStatus:
    found = await call(client, "GET", secret.path)
    row, now, error = found["secret"], found["now"] or {}, found["secret"]["error"] or {}
    if as_json:
        output.as_json(found)
        return health.of_secret(row["state"])
    output.fields(
        {
            secret_name(row["vault"], row["secret"]): row["state"],
            "account": row["account"],
            "next": row["next"],
            "waiting for": now.get("reason") or row["why"],
            "until": output.format_time(now.get("until") or row["nextAt"]),
            "last error": error.get("message"),
            "remedy": error.get("remedy"),
            "problems": "; ".join(found.get("problems", ())) or None,
        }
    )
    if now.get("effects"):
        output.echo("What will happen:")
        output.steps(now["effects"])
    return health.of_secret(row["state"])
