"""What a command is about: a secret as ``vault/secret``, an account, a vault, or everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..domain.model import Slot
from .exit_status import Exit, Failed

_SECRET = re.compile(
    r"(?:https://)?(?P<vault>[A-Za-z0-9-]+)(?:\.[a-z.]+/secrets)?/(?P<secret>[A-Za-z0-9-]+)"
    r"(?:/[0-9a-f]{32})?/?"
)


def vault_name(url: str) -> str:
    """``my-vault`` of ``https://my-vault.vault.azure.net``."""
    return url.removeprefix("https://").partition(".")[0]


def short(vault: str, secret: str) -> str:
    """``vault/secret``, as the commands take it, from the vault's URL."""
    return f"{vault_name(vault)}/{secret}"


def account_name(resource: str) -> str:
    """The last part of an account's resource id."""
    return resource.rpartition("/")[2]


@dataclass(frozen=True)
class Target:
    """One secret."""

    vault: str
    secret: str

    @property
    def path(self) -> str:
        return f"secrets/{self.vault}/{self.secret}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """``my-vault/my-key``, or the secret's URL. Raises Failed."""
        found = _SECRET.fullmatch(text.strip())
        if not found:
            raise Failed(
                Exit.USAGE, f"{text!r} names no secret", "write VAULT/SECRET, e.g. my-vault/my-key"
            )
        return cls(found["vault"], found["secret"])


def wanted(what: str, vault: str, everything: bool) -> dict[str, Any]:
    """The members of a request's body that say what it is about. Raises Failed."""
    if sum((bool(what), bool(vault), everything)) != 1:
        raise Failed(
            Exit.USAGE,
            "say what to rotate",
            "one of VAULT/SECRET, an account's resource id, --vault NAME or --all",
        )
    if everything:
        return {"all": True}
    if vault:
        return {"vault": vault}
    if what.startswith("/subscriptions/"):
        return {"account": what}
    target = Target.parse(what)
    return {"vault": target.vault, "secret": target.secret}


def slot(text: str) -> Slot | None:
    """``key1`` or ``key2``, any case; nothing for nothing. Raises Failed."""
    found = {one.value.lower(): one for one in Slot}.get(text.strip().lower())
    if text and found is None:
        raise Failed(Exit.USAGE, f"{text!r} is no key", "write key1 or key2")
    return found
