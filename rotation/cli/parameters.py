"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[
    str, typer.Option("--url", envvar="ROTATION_URL", help="Base URL of the function app.")
]

Direct = Annotated[
    bool,
    typer.Option("--direct", help="Act with your own Azure credentials, not the function app's."),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation prompt.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the rotation to finish.")]

Reason = Annotated[
    str, typer.Option("--reason", "-r", help="The reason, recorded in the audit trail.")
]

Secret = Annotated[str, typer.Argument(metavar="VAULT/SECRET", help="The secret.")]

SecretOrAccount = Annotated[
    str,
    typer.Argument(
        metavar="VAULT/SECRET|ACCOUNT", help="The secret, or the account's resource id."
    ),
]

Vault = Annotated[str, typer.Option("--vault", help="Every secret in this vault.")]

All = Annotated[bool, typer.Option("--all", help="Every managed account.")]

RotationId = Annotated[str, typer.Argument(metavar="ID", help="The rotation's id.")]

Subscriptions = Annotated[
    list[str] | None,
    typer.Option("--subscription", help="Only this subscription; may be repeated."),
]

IdempotencyKey = Annotated[
    str,
    typer.Option(
        "--idempotency-key", help="Repeating a request with this key returns the same rotation."
    ),
]
