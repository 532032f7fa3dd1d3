"""Identifiers of Azure AI accounts and of secrets."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

# A resource group's name has letters of any script, and does not end with a full stop.
_ACCOUNT = re.compile(
    r"/?subscriptions/([a-z0-9][a-z0-9-]{0,63})/resourcegroups/([\w().-]{0,89}[\w()-])/providers/"
    r"microsoft\.cognitiveservices/accounts/([a-z0-9][a-z0-9_.-]{1,63})/?",
)


@dataclass(frozen=True, order=True, slots=True)
class AccountId:
    """An Azure AI account, in lower case because ARM ids compare without case."""

    subscription: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> AccountId:
        """Parse an ARM resource id. Raises ValueError with an example."""
        return _parsed(text)

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.CognitiveServices/accounts/{self.name}"
        )

    @property
    def slug(self) -> str:
        """A short, stable name, used for documents and operation ids."""
        return _slug(str(self))


# A sweep reads the same ten thousand addresses every time.
@lru_cache(maxsize=16384)
def _parsed(text: str) -> AccountId:
    match = _ACCOUNT.fullmatch(text.strip().lower())
    if not match:
        raise ValueError(
            f"{text[:200]!r} is not the resource id of an Azure AI account; write "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…"
        )
    return AccountId(*match.groups())


@lru_cache(maxsize=16384)
def _slug(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]


@dataclass(frozen=True, order=True, slots=True)
class TargetId:
    """A secret: its vault's URL (``https://kv.vault.azure.net``) and its name."""

    vault: str
    name: str

    def __str__(self) -> str:
        return f"{self.vault}/secrets/{self.name}"


def target_id(text: str) -> TargetId:
    """Parse a target id: the reverse of ``str``."""
    vault, _, name = text.partition("/secrets/")
    return TargetId(vault, name)
