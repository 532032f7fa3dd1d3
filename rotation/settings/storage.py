"""Reads the storage connection from the settings of the Functions host.

The service uses the storage that the host uses. Keys and SAS are refused, except the well-known
key of the storage emulator on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

CONNECTION = "AzureWebJobsStorage"

# Public and the same everywhere: "Use the Azurite emulator for local Azure Storage development".
EMULATOR_ACCOUNT = "devstoreaccount1"

EMULATOR_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

_PARTS = ("accountName", "blobServiceUri", "queueServiceUri")

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")


@dataclass(frozen=True)
class StorageSettings:
    """The endpoints of blobs and queues; ``connection_string`` is for the emulator only."""

    kind: Literal["identity", "emulator"]
    blob_url: str
    queue_url: str
    connection_string: str | None = field(default=None, repr=False)


def parse(
    environment: Mapping[str, str], name: str = CONNECTION, suffix: str = "core.windows.net"
) -> StorageSettings | None:
    """Return the host's connection ``name``, or None if it is not set. ``suffix`` is the cloud's.

    As in the host, names compare without case and a connection string goes before the rest.
    Raises ValueError, which never repeats a value that may hold a key.
    """
    folded = {key.lower(): value.strip() for key, value in environment.items()}
    text = folded.get(name.lower())
    if text:
        return _emulator(text, name)

    found = {part: folded.get(f"{name}__{part}".lower(), "") for part in _PARTS}
    account, urls = found["accountName"], {part: found[part] for part in _PARTS[1:]}
    if not account and not any(urls.values()):
        return None
    if account and not _ACCOUNT.fullmatch(account):
        raise ValueError(f"{name}__accountName: write the storage account's bare name")
    for part in urls:
        if account and not urls[part]:
            urls[part] = f"https://{account}.{part.removesuffix('ServiceUri')}.{suffix}"
        urls[part] = _https(urls[part], f"{name}__{part}")
    return StorageSettings("identity", *urls.values())


def _emulator(text: str, name: str) -> StorageSettings:
    pairs = (part.partition("=") for part in text.split(";"))
    parts = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if parts.get("usedevelopmentstorage", "").lower() == "true":
        base = urlsplit(parts.get("developmentstorageproxyuri") or "http://127.0.0.1")
        host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
        address = f"{base.scheme}://{host}:{{}}/{EMULATOR_ACCOUNT}"
        blob, queue_, key = address.format(10000), address.format(10001), EMULATOR_KEY
    else:
        blob, queue_ = parts.get("blobendpoint", ""), parts.get("queueendpoint", "")
        key = parts.get("accountkey", EMULATOR_KEY)
        blob = blob if parts.get("accountname") == EMULATOR_ACCOUNT else ""
    if not _is_loopback(blob) or not _is_loopback(queue_):
        raise ValueError(
            f"{name}: connection strings with a key or SAS are refused; delete it and set "
            f"{name}__accountName instead, which uses the service's identity. Only the storage "
            f"emulator's is accepted, with local blobs and queues: UseDevelopmentStorage=true"
        )
    connection = (
        f"AccountName={EMULATOR_ACCOUNT};AccountKey={key};"
        f"BlobEndpoint={blob};QueueEndpoint={queue_};"
    )
    return StorageSettings("emulator", blob, queue_, connection)


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _https(url: str, name: str) -> str:
    if not url:
        raise ValueError(f"{name}: required, unless the account's name is set")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
        raise ValueError(f"{name}: write the service's https URL, without a SAS")
    return url.rstrip("/")
