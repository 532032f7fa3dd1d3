"""The tables that Key Vault's audit logs go to: their columns, and a query's choice of them.

Azure Monitor reference, "AZKVAuditLogs" and "AzureDiagnostics".
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ...core.wire import CLIENT_ADDRESS
from ..keyvault.audit import AuditEvent

_PROJECT = re.compile(r"\|\s*project\s+([^|]+)", re.I)
_NETWORK = ("ForbiddenByFirewall", "ForbiddenByConnection")


@dataclass(frozen=True)
class Column:
    """A column's type, and its value in a row."""

    type: str
    value: Callable[[AuditEvent], Any]


def _text(value: Callable[[AuditEvent], Any]) -> Column:
    return Column("string", value)


def _identity(event: AuditEvent) -> str:
    if event.principal is None:
        return json.dumps({})
    claim = {"oid": event.principal.object_id, "appid": event.principal.client_id}
    mirid = {"xms_mirid": event.principal.resource_id} if event.principal.resource_id else {}
    return json.dumps({"claim": claim | mirid})


def _correlation(event: AuditEvent) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.request_uri} {event.at.isoformat()}"))


_OID = _text(lambda e: e.principal.object_id if e.principal else "")
_APPID = _text(lambda e: e.principal.client_id if e.principal else "")
_COMMON = {
    "TimeGenerated": Column("datetime", lambda e: e.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    "OperationName": _text(lambda e: e.operation),
    "OperationVersion": _text(lambda e: e.api_version),
    "Category": _text(lambda e: "AuditEvent"),
    "ResultType": _text(lambda e: "Success" if e.status < 400 else "Failed"),
    "ResultSignature": _text(lambda e: HTTPStatus(e.status).phrase),
    "ResultDescription": _text(lambda e: ""),
    "DurationMs": Column("int", lambda e: 12),
    "CorrelationId": _text(_correlation),
    "_ResourceId": _text(lambda e: e.vault.lower()),
}
TABLES: Mapping[str, Mapping[str, Column]] = {
    "AZKVAuditLogs": _COMMON
    | {
        "HttpStatusCode": Column("int", lambda e: e.status),
        "CallerIpAddress": _text(lambda e: CLIENT_ADDRESS),
        "Identity": Column("dynamic", _identity),
        "Id": _text(lambda e: e.id),
        "RequestUri": _text(lambda e: e.request_uri),
        "ClientInfo": _text(lambda e: e.client),
        "IsRbacAuthorized": Column("bool", lambda e: e.refusal != "ForbiddenByRbac"),
        "IsAddressAuthorized": Column("bool", lambda e: e.refusal not in _NETWORK),
        "Tlsversion": _text(lambda e: "TLS1_3"),
    },
    "AzureDiagnostics": _COMMON
    | {
        "ResourceProvider": _text(lambda e: "MICROSOFT.KEYVAULT"),
        "ResourceType": _text(lambda e: "VAULTS"),
        "Resource": _text(lambda e: e.vault.rpartition("/")[2].upper()),
        "httpStatusCode_d": Column("real", lambda e: float(e.status)),
        "CallerIPAddress": _text(lambda e: CLIENT_ADDRESS),
        "identity_claim_oid_g": _OID,
        "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g": _text(
            lambda e: ""
        ),
        "identity_claim_appid_g": _APPID,
        "id_s": _text(lambda e: e.id),
        "requestUri_s": _text(lambda e: e.request_uri),
        "clientInfo_s": _text(lambda e: e.client),
    },
}
# Names that queries commonly give to their own columns.
_WELL_KNOWN = {
    "reader": _OID,
    "oid": _OID,
    "appid": _APPID,
    "mirid": _text(lambda e: e.principal.resource_id if e.principal else ""),
    "id": _text(lambda e: e.id),
    "status": Column("int", lambda e: e.status),
}


def table_of(query: str) -> str:
    """Return the table that a query names; the newer one if it names both."""
    older = "AzureDiagnostics" in query and "AZKVAuditLogs" not in query
    return "AzureDiagnostics" if older else "AZKVAuditLogs"


def columns(table: str, query: str) -> dict[str, Column]:
    """Return the columns of the last projection by name; a column of an unknown name is empty."""
    known = dict(TABLES[table])
    projections = _PROJECT.findall(query)
    if not projections:
        return known
    names = [part.partition("=")[0].strip() for part in _parts(projections[-1])]
    empty = _text(lambda e: "")
    return {name: known.get(name) or _WELL_KNOWN.get(name.lower(), empty) for name in names}


def _parts(projection: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth = [""], 0
    for letter in projection:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]
