"""The tables that Key Vault's audit logs go to: their columns, and what a query asks of them.

Azure Monitor reference, "AZKVAuditLogs" and "AzureDiagnostics".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...core.identity import Principal

_PROJECT = re.compile(r"\|\s*project\s+([^|]+)", re.I)
_CALLER = "203.0.113.7"


@dataclass(frozen=True)
class Row:
    """One call of a vault's data plane."""

    at: datetime
    principal: Principal
    operation: str
    id: str
    address: str
    status: int
    client: str
    vault: str


@dataclass(frozen=True)
class Column:
    """A column's type, and its value in a row."""

    type: str
    of: Callable[[Row], Any]


def _text(of: Callable[[Row], Any]) -> Column:
    return Column("string", of)


def _identity(row: Row) -> str:
    claim = {"oid": row.principal.object_id, "appid": row.principal.client_id}
    mirid = {"xms_mirid": row.principal.resource_id} if row.principal.resource_id else {}
    return json.dumps({"claim": claim | mirid})


_OID, _APPID = _text(lambda r: r.principal.object_id), _text(lambda r: r.principal.client_id)
_COMMON = {
    "TimeGenerated": Column("datetime", lambda r: r.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    "OperationName": _text(lambda r: r.operation),
    "Category": _text(lambda r: "AuditEvent"),
    "ResultType": _text(lambda r: "Success" if r.status < 400 else "Failed"),
    "ResultSignature": _text(lambda r: "OK" if r.status < 400 else str(r.status)),
}
TABLES: Mapping[str, Mapping[str, Column]] = {
    "AZKVAuditLogs": _COMMON
    | {
        "HttpStatusCode": Column("int", lambda r: r.status),
        "CallerIpAddress": _text(lambda r: _CALLER),
        "Identity": Column("dynamic", _identity),
        "Id": _text(lambda r: r.id),
        "RequestUri": _text(lambda r: r.address),
        "ClientInfo": _text(lambda r: r.client),
        "_ResourceId": _text(lambda r: r.vault.lower()),
    },
    "AzureDiagnostics": _COMMON
    | {
        "ResourceProvider": _text(lambda r: "MICROSOFT.KEYVAULT"),
        "Resource": _text(lambda r: r.vault.rpartition("/")[2].upper()),
        "httpStatusCode_d": Column("real", lambda r: float(r.status)),
        "CallerIPAddress": _text(lambda r: _CALLER),
        "identity_claim_oid_g": _OID,
        "identity_claim_appid_g": _APPID,
        "id_s": _text(lambda r: r.id),
        "requestUri_s": _text(lambda r: r.address),
        "clientInfo_s": _text(lambda r: r.client),
        "_ResourceId": _text(lambda r: r.vault.lower()),
    },
}
# What queries commonly call their own columns.
_WELL_KNOWN = {
    "reader": _OID,
    "oid": _OID,
    "appid": _APPID,
    "mirid": _text(lambda r: r.principal.resource_id),
    "id": _text(lambda r: r.id),
    "status": Column("int", lambda r: r.status),
}


def table_of(query: str) -> str:
    """The table that a query names; the newer one where it names both."""
    older = "AzureDiagnostics" in query and "AZKVAuditLogs" not in query
    return "AzureDiagnostics" if older else "AZKVAuditLogs"


def columns(table: str, query: str) -> dict[str, Column]:
    """The columns of the last projection, by name; those of no known name hold nothing."""
    known = dict(TABLES[table])
    projections = _PROJECT.findall(query)
    if not projections:
        return known
    names = [part.partition("=")[0].strip() for part in _parts(projections[-1])]
    nothing = _text(lambda r: "")
    return {name: known.get(name) or _WELL_KNOWN.get(name.lower(), nothing) for name in names}


def _parts(projection: str) -> list[str]:
    """Split at the commas that are in no brackets."""
    parts, depth = [""], 0
    for letter in projection:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]
