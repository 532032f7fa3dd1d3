"""Event Grid in: Key Vault's events in either schema, read as tolerantly as they are documented.

The documented sample has numbers as strings, a stray space in a member's name and one in the
version; so names and values are stripped, and nothing but what we need is looked at. Nothing in
an event is believed: it only says which secret to look at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

NEAR_EXPIRY = "Microsoft.KeyVault.SecretNearExpiry"

EXPIRED = "Microsoft.KeyVault.SecretExpired"

_ASKING = {NEAR_EXPIRY.lower(): "is near expiry", EXPIRED.lower(): "has expired", "": ""}


@dataclass(frozen=True)
class Expiring:
    """A version of a secret in a configured vault nears or has passed its expiry.

    ``what`` is empty where the event did not say its type: older workers lose it from CloudEvents.
    Such an event is only a reason to look.
    """

    vault: str
    secret: str
    version: str
    event: str
    what: str


@dataclass(frozen=True)
class Ignored:
    """An event that asks nothing of us, and why."""

    reason: str


def parse(event: Any, vaults: Iterable[str]) -> Expiring | Ignored:
    """One event: a mapping in Event Grid's schema or CloudEvents 1.0. Never raises."""
    if not isinstance(event, Mapping):
        return Ignored("the event is no JSON object")
    members = _folded(event)
    kind = _text(members.get("eventtype") or members.get("type"))
    if kind.lower() not in _ASKING:
        return Ignored(f"events of type {kind[:80]!r} ask for nothing")
    data = members.get("data")
    if not isinstance(data, Mapping):
        return Ignored("the event has no data")
    return _expiring(members, _folded(data), kind, tuple(vaults))


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
    if not secret or not version:
        return Ignored("the event names no secret or no version")
    return Expiring(vault, secret, version, _text(members.get("id")), _ASKING[kind.lower()])


def _configured(name: str, vaults: tuple[str, ...]) -> str | None:
    """A vault's name is unique in its cloud and is the first label of its URL's host."""
    for vault in vaults:
        host = urlsplit(vault).hostname or ""
        if name and host.partition(".")[0] == name.lower():
            return vault
    return None


def _folded(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in mapping.items()}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def payload(event: Any) -> Any:
    """A Functions event, whichever of the two classes the worker handed over, as a mapping."""
    if isinstance(event, Mapping):
        return event
    return {
        "id": event.id,
        "type": getattr(event, "event_type", None) or getattr(event, "type", None),
        "topic": getattr(event, "topic", None) or getattr(event, "source", None),
        "subject": event.subject,
        "data": event.get_json(),
    }
