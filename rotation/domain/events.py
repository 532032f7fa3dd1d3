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
from urllib.parse import urlsplit

from .ids import AccountId

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


def is_event(body: Any) -> bool:
    """Return whether JSON is an event of Event Grid's schema or CloudEvents 1.0."""
    if not isinstance(body, Mapping):
        return False
    members = _folded(body)
    kind = members.get("eventtype") or members.get("type")
    return isinstance(kind, str) and isinstance(members.get("data"), Mapping)


def is_secret_name(text: str) -> bool:
    """Return whether Key Vault allows this name of a secret."""
    return _NAME.fullmatch(text) is not None


def parse(event: Any, vaults: Iterable[str]) -> Expiring | Regenerated | Ignored:
    """Parse one event, in Event Grid's schema or CloudEvents 1.0. Never raises."""
    if not isinstance(event, Mapping):
        return Ignored("the event is not a JSON object")
    members = _folded(event)
    kind = _text(members.get("eventtype") or members.get("type"))
    data = members.get("data")
    if kind.lower() not in {*_ASKING, ACTION.lower()}:
        return Ignored(f"events of type {kind[:80]!r} ask for nothing")
    if not isinstance(data, Mapping):
        return Ignored("the event has no data")
    if kind.lower() == ACTION.lower():
        return _regenerated(_folded(data))
    return _expiring(members, _folded(data), kind, tuple(vaults))


def _regenerated(data: dict[str, Any]) -> Regenerated | Ignored:
    if _text(data.get("operationname")).lower() != _REGENERATE:
        return Ignored("the action regenerates no key of an Azure AI account")
    try:
        return Regenerated(AccountId.parse(_text(data.get("resourceuri"))))
    except ValueError:
        return Ignored("the event does not name an account")


def _expiring(
    members: dict[str, Any], data: dict[str, Any], kind: str, vaults: tuple[str, ...]
) -> Expiring | Ignored:
    topic = _text(members.get("topic") or members.get("source"))
    named = _text(data.get("vaultname"))
    vault = _configured(topic.rstrip("/").rpartition("/")[2] if topic else named, vaults)
    if vault is None or (named and _configured(named, vaults) != vault):
        return Ignored(f"vault {(named or topic)[:120]!r} is not configured")
    if _text(data.get("objecttype") or "Secret").lower() != "secret":
        return Ignored("the event is about no secret")
    secret = _text(data.get("objectname") or members.get("subject"))
    version = _text(data.get("version"))
    if not is_secret_name(secret) or not _VERSION.fullmatch(version):
        return Ignored("the event does not name a secret and a version")
    return Expiring(vault, secret, version, _text(members.get("id")), _ASKING[kind.lower()])


def _configured(name: str, vaults: tuple[str, ...]) -> str | None:
    """Return the configured vault with this name, which is the first label of its host."""
    for vault in vaults:
        host = urlsplit(vault).hostname or ""
        if name and host.partition(".")[0] == name.lower():
            return vault
    return None


def _folded(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in mapping.items()}


def _text(value: Any) -> str:
    """Return a text that can be encoded: JSON allows half of a surrogate pair."""
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""


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
    }
