"""The names that an event gives a secret, from all of its members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_VAULT_ID = re.compile(r".*/providers/microsoft\.keyvault/vaults/([^/]+)/?", re.I)

_SYSTEM_TOPIC = re.compile(r".*/providers/microsoft\.eventgrid/systemtopics/[^/]+/?", re.I)

_PATH = re.compile(
    r"/?(?P<kind>secrets|keys|certificates)/(?P<name>[^/]+)(?:/(?P<version>[^/]*))?/?"
)


@dataclass(frozen=True)
class Claims:
    """The distinct names, in lower case but for ``secrets``, and the kinds of object."""

    vaults: tuple[str, ...]
    secrets: tuple[str, ...]
    versions: tuple[str, ...]
    kinds: tuple[str, ...]


def claims(members: Mapping[str, Any], data: Mapping[str, Any]) -> Claims:
    """Return what an event with these folded members claims."""
    topic = text(members.get("topic") or members.get("source"))
    addresses = [_Address.of(text(data.get("id"))), _Address.of(text(members.get("subject")))]
    subject = text(members.get("subject"))
    return Claims(
        _distinct(
            _vault_of_topic(topic), text(data.get("vaultname")), *(a.vault for a in addresses)
        ),
        _distinct(
            text(data.get("objectname")),
            subject if "/" not in subject else "",
            *(a.name for a in addresses),
        ),
        _distinct(text(data.get("version")), *(a.version for a in addresses)),
        _distinct(text(data.get("objecttype")), *(a.kind for a in addresses)),
    )


def text(value: Any) -> str:
    """Return a text that can be encoded: JSON allows half of a surrogate pair."""
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""


@dataclass(frozen=True)
class _Address:
    """The parts of a secret's URL or path; absent ones are empty."""

    vault: str = ""
    kind: str = ""
    name: str = ""
    version: str = ""

    @classmethod
    def of(cls, address: str) -> _Address:
        host, path = _split(address)
        match = _PATH.fullmatch(path)
        if match is None:
            return cls(host)
        kind = match["kind"].removesuffix("s")
        return cls(host, kind, match["name"], match["version"] or "")


def _split(address: str) -> tuple[str, str]:
    """Return the host of a URL, or an empty text, and the path."""
    try:
        parts = urlsplit(address)
        return (parts.hostname or "", parts.path) if "://" in address else ("", address)
    except ValueError:
        return "", ""


def _vault_of_topic(topic: str) -> str:
    """Return the vault in a topic; the name of a system topic does not tell it."""
    if _SYSTEM_TOPIC.fullmatch(topic):
        return ""
    match, (host, _) = _VAULT_ID.fullmatch(topic), _split(topic)
    return match[1] if match else host or topic.rstrip("/").rpartition("/")[2]


def _distinct(*found: str) -> tuple[str, ...]:
    """Return the texts that are not empty, without repetitions that differ in case only."""
    return tuple({one.lower(): one for one in reversed(found) if one}.values())


def configured(name: str, vaults: Iterable[str]) -> str | None:
    """Return the configured vault with this name or host."""
    for vault in vaults:
        host = urlsplit(vault).hostname or ""
        if name and name.lower() in (host, host.partition(".")[0]):
            return vault
    return None
