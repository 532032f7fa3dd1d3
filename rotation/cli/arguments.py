"""Parses and prints the names that commands use: secrets, accounts, vaults and key slots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..domain.keys import Slot
from .exit_status import CommandError, ExitStatus

_SECRET = re.compile(
    r"(?:https://)?(?P<vault>[A-Za-z0-9-]+)(?:\.[a-z.]+/secrets)?/(?P<secret>[A-Za-z0-9-]+)"
    r"(?:/[0-9a-f]{32})?/?"
)


def vault_name(url: str) -> str:
    """Return ``my-vault`` for ``https://my-vault.vault.azure.net``."""
    return url.removeprefix("https://").partition(".")[0]


def secret_name(vault: str, secret: str) -> str:
    """Return ``vault/secret``, as the commands take it, from the vault's URL."""
    return f"{vault_name(vault)}/{secret}"


def account_name(resource: str) -> str:
    """Return the last part of an account's resource id."""
    return resource.rpartition("/")[2]


@dataclass(frozen=True)
class SecretArgument:
    """A secret named on the command line."""

    vault: str
    secret: str

    def __str__(self) -> str:
        return f"{self.vault}/{self.secret}"

    @property
    def path(self) -> str:
        """The secret's path below ``/api/``."""
        return f"secrets/{self.vault}/{self.secret}"

    @classmethod
    def parse(cls, text: str) -> SecretArgument:
        """Parse ``my-vault/my-key`` or the secret's URL. Raises CommandError."""
        match = _SECRET.fullmatch(text.strip())
        if not match:
            raise CommandError(
                ExitStatus.USAGE,
                f"{text!r} is not a secret.",
                "Write VAULT/SECRET, for example my-vault/my-key.",
            )
        return cls(match["vault"], match["secret"])


def selection(what: str, vault: str, everything: bool) -> dict[str, Any]:
    """Return the members of a request's body that select accounts. Raises CommandError."""
    if sum((bool(what), bool(vault), everything)) != 1:
        raise CommandError(
            ExitStatus.USAGE,
            "Specify what to rotate.",
            "Give exactly one of VAULT/SECRET, an account's resource id, --vault NAME or --all.",
        )
    if everything:
        return {"all": True}
    if vault:
        return {"vault": vault}
    if what.startswith("/subscriptions/"):
        return {"account": what}
    secret = SecretArgument.parse(what)
    return {"vault": secret.vault, "secret": secret.secret}


def parse_slot(text: str) -> Slot | None:
    """Parse ``key1`` or ``key2`` in any case; None if empty. Raises CommandError."""
    slot = {slot.value.lower(): slot for slot in Slot}.get(text.strip().lower())
    if text and slot is None:
        raise CommandError(ExitStatus.USAGE, f"{text!r} is not a key.", "Write key1 or key2.")
    return slot


def parse_time(text: str) -> str:
    """Return an ISO 8601 time with its offset, UTC if it has none. Raises CommandError."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(
            ExitStatus.USAGE, f"{text!r} is not a time.", "Write it like 2026-12-24T18:00Z."
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
