"""The vaults' audit logs, as a Log Analytics query shows them some minutes later.

KQL is not interpreted. A query is answered with the rows of the table that it names
(AZKVAuditLogs, or AzureDiagnostics where only that is named) in its timespan, of vaults and
secrets whose names stand in it, with the columns that the product's query projects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .clock import Clock
from .identity import Identity, Principal
from .keyvault.vault import Vault
from .wire import Request, Response

HOST, AUDIENCE = "api.loganalytics.io", "https://api.loganalytics.io"
COLUMNS = (("Reader", "string"), ("Id", "string"), ("TimeGenerated", "datetime"))
_NAMES = {"set_secret": "SecretSet", "get_secret": "SecretGet", "update_secret": "SecretUpdate"}
_PERIOD = re.compile(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")


@dataclass(frozen=True)
class Row:
    """One call of a vault's data plane."""

    at: datetime
    reader: str
    operation: str
    id: str
    status: int


@dataclass
class Logs:
    """``delay`` is the time until a row can be queried."""

    clock: Clock
    identity: Identity
    delay: timedelta = timedelta(minutes=10)
    rows: list[Row] = field(default_factory=list)
    partial: bool = False

    def record(
        self, vault: Vault, request: Request, principal: Principal, name: str, response: Response
    ) -> None:
        """Called by Key Vault for every authenticated call."""
        identity = vault.url + request.path.rstrip("/")
        if response.status == 200 and name in _NAMES:
            identity = json.loads(response.body).get("id", identity)
        operation = _NAMES.get(name, name)
        self.rows.append(
            Row(self.clock.now(), principal.object_id, operation, identity, response.status)
        )

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        if request.host != HOST:
            return None
        return "logs.query", lambda: self._query(request)

    def _query(self, request: Request) -> Response:
        if not isinstance(self.identity.bearer(request, [AUDIENCE]), Principal):
            body = {"error": {"code": "AuthorizationRequiredError", "message": "No valid token"}}
            return Response.of_json(401, body)
        try:
            body = json.loads(request.body)
            query, span = str(body["query"]), str(body.get("timespan") or "")
        except (ValueError, KeyError, TypeError):
            error = {
                "code": "BadArgumentError",
                "message": "The request had some invalid properties",
            }
            return Response.of_json(400, {"error": error})
        table = {
            "name": "PrimaryResult",
            "columns": [{"name": name, "type": kind} for name, kind in COLUMNS],
            "rows": [_shown(row) for row in self._found(query, span)],
        }
        answer: dict[str, Any] = {"tables": [table]}
        if self.partial:
            answer["error"] = {"code": "PartialError", "message": "There were some errors"}
        return Response.of_json(200, answer)

    def _found(self, query: str, span: str) -> list[Row]:
        since = _since(span, self.clock.now())
        visible = self.clock.now() - self.delay
        folded = query.lower()
        return [
            row
            for row in self.rows
            if since <= row.at <= visible
            and row.operation == "SecretGet"
            and row.status == 200
            and row.id.lower().rpartition("/")[0] in folded
        ]


def _since(span: str, now: datetime) -> datetime:
    start = span.partition("/")[0]
    if start.startswith("P"):
        match = _PERIOD.fullmatch(start)
        days, hours, minutes, seconds = (
            (float(p or 0) for p in match.groups()) if match else (1, 0, 0, 0)
        )
        return now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return datetime.fromisoformat(start)
    except ValueError:
        return now - timedelta(days=1)


def _shown(row: Row) -> list[str]:
    return [row.reader, row.id, row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")]
