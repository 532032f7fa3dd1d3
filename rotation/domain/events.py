"""Parses events from Event Grid, in either schema: Key Vault's and Resource Manager's.

The documented sample has numbers as strings, and stray spaces in a member's name and in the
version. So names and values are stripped, and unused members are ignored. An event is not
trusted: it only tells which secret to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .envelopes import data_of, folded
from .event_claims import claims, configured, text
from .ids import AccountId
from .redaction import redact

NEAR_EXPIRY = "Microsoft.KeyVault.SecretNearExpiry"

EXPIRED = "Microsoft.KeyVault.SecretExpired"

NEW_VERSION = "Microsoft.KeyVault.SecretNewVersionCreated"

ACTION = "Microsoft.Resources.ResourceActionSuccess"

_REGENERATE = "microsoft.cognitiveservices/accounts/regeneratekey/action"

IS_NEW = "has a new version"

_ASKING = {
    NEAR_EXPIRY.lower(): "is near expiry",
    EXPIRED.lower(): "has expired",
    NEW_VERSION.lower(): IS_NEW,
    "": "",
}


_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")

_WORDS = re.compile(r"[A-Za-z.]{1,80}")

_VERSION = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Expiring:
    """A version of a secret in a configured vault that is new, or near or past its expiry.

    ``what`` is empty where the event did not say its type: older workers lose it from CloudEvents.
    Such an event is only a reason to look.
    """

    vault: str
    secret: str
    version: str
    event: str
    what: str


@dataclass(frozen=True)
class Regenerated:
    """An account of which somebody, perhaps this service, has regenerated a key.

    The event does not say which key. Its claims are personal data and are dropped here.
    """

    account: AccountId


@dataclass(frozen=True)
class Ignored:
    """An event that needs no action, and the reason."""

    reason: str


def is_secret_name(text: str) -> bool:
    """Return whether Key Vault allows this name of a secret."""
    return _NAME.fullmatch(text) is not None


def parse(event: Any, vaults: Iterable[str]) -> Expiring | Regenerated | Ignored:
    """Parse one event, in Event Grid's schema or CloudEvents 1.0. Never raises."""
    if not isinstance(event, Mapping):
        return Ignored("the event is not a JSON object")
    members = folded(event)
    kind = text(members.get("eventtype") or members.get("type"))
    data = data_of(members)
    if kind.lower() not in {*_ASKING, ACTION.lower()}:
        return Ignored(f"events of type {_shown(kind)!r} ask for nothing")
    if data is None:
        return Ignored("the event has no data, or data that is not a JSON object")
    if kind.lower() == ACTION.lower():
        return _regenerated(folded(data))
    return _expiring(members, folded(data), kind, tuple(vaults))


def _regenerated(data: dict[str, Any]) -> Regenerated | Ignored:
    if text(data.get("operationname")).lower() != _REGENERATE:
        return Ignored("the action regenerates no key of an Azure AI account")
    try:
        return Regenerated(AccountId.parse(text(data.get("resourceuri"))))
    except ValueError:
        return Ignored("the event does not name an account")


def _expiring(
    members: dict[str, Any], data: dict[str, Any], kind: str, vaults: tuple[str, ...]
) -> Expiring | Ignored:
    said = claims(members, data)
    found = {configured(name, vaults) for name in said.vaults}
    if None in found or not found:
        named = _shown(said.vaults[0]) if said.vaults else ""
        return Ignored(f"vault {named!r} is not configured")
    if any(kind.lower() != "secret" for kind in said.kinds):
        return Ignored("the event is about no secret")
    if any(len(names) > 1 for names in (found, said.secrets, said.versions)):
        return Ignored("the members of the event contradict each other")
    secret, version = "".join(said.secrets), "".join(said.versions)
    if not is_secret_name(secret) or not _VERSION.fullmatch(version):
        return Ignored("the event does not name a secret and a version")
    vault = str(found.pop())
    return Expiring(vault, secret, version, text(members.get("id")), _ASKING[kind.lower()])


def _shown(text: str) -> str:
    """Return a text of the event for a reason, which is logged."""
    return text if _WORDS.fullmatch(text) else redact(text)[:120]


def payload(event: Any) -> Any:
    """Convert an event of the Functions worker, of either class, to a mapping."""
    if isinstance(event, Mapping):
        return event
    return {
        "id": event.id,
        "type": getattr(event, "event_type", None) or getattr(event, "type", None),
        "topic": getattr(event, "topic", None) or getattr(event, "source", None),
        "subject": event.subject,
        "data": event.get_json(),
        "data_base64": getattr(event, "extension_attrs", {}).get("data_base64"),
    }
