"""The vaults' audit logs, as a Log Analytics query shows them some minutes later.

KQL is not interpreted. A query returns rows of the table that it names (AZKVAuditLogs, or
AzureDiagnostics if only that is named), within its timespan:

- rows of the operations that it quotes (``"SecretGet"``), or of all operations;
- rows of the secrets whose addresses it quotes (``"https://…/secrets/name"``), or of all secrets;
- rows with status 200 only, if it compares something with 200;
- the columns of its last ``project``, by their well-known names, or the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...core import clouds
from ...core.clock import Clock
from ...core.identity import Identity, Principal
from ...core.wire import Request, Response
from ..keyvault.audit import OPERATIONS, AuditEvent
from .tables import columns, table_of
from .timespans import interval

Interval = tuple[datetime, datetime]
_ACTION = "Microsoft.OperationalInsights/workspaces/query/read"
_KEPT = 100_000
_PATH = re.compile(r"/v1/(workspaces/[^/]+|subscriptions/.+)/query", re.I)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_ONLY_200 = re.compile(r"==\s*200\b")


@dataclass
class Logs:
    """The log of one workspace; ``delay`` is the time until a row can be queried."""

    clock: Clock
    identity: Identity
    delay: timedelta = timedelta(minutes=10)
    rows: list[AuditEvent] = field(default_factory=list)
    partial: bool = False

    def record(self, event: AuditEvent) -> None:
        """Keep an event; the oldest ones are dropped."""
        self.rows.append(event)
        if len(self.rows) > 2 * _KEPT:
            del self.rows[:_KEPT]

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        if clouds.of_logs(request.host) is None:
            return None
        return "logs.query", lambda: self._query(request)

    def _query(self, request: Request) -> Response:
        caller = self.identity.bearer(request, [f"https://{request.host}"])
        if not isinstance(caller, Principal):
            return _error(401, "AuthorizationRequiredError", "No valid token")
        path = _PATH.fullmatch(request.path)
        if request.method != "POST" or path is None:
            return _error(404, "PathNotFoundError", "The requested path does not exist")
        if not _may_query(caller, "/" + path[1]):
            return _error(403, "InsufficientAccessError", "The credentials lack access")
        try:
            body = request.json()
            query, text = str(body["query"]), str(body.get("timespan") or "")
            span = interval(text, self.clock.now())
        except (ValueError, KeyError, TypeError):
            return _error(400, "BadArgumentError", "The request had some invalid properties")
        result: dict[str, Any] = {"tables": [self._table(query, span)]}
        if self.partial:
            text = "There were some errors"
            result["error"] = {"code": "PartialError", "message": text, "details": []}
        return Response.of_json(200, result)

    def _table(self, query: str, span: Interval) -> dict[str, Any]:
        table = table_of(query)
        shown = columns(table, query)
        return {
            "name": "PrimaryResult",
            "columns": [{"name": name, "type": column.type} for name, column in shown.items()],
            "rows": [[c.value(row) for c in shown.values()] for row in self._found(query, span)],
        }

    def _found(self, query: str, span: Interval) -> list[AuditEvent]:
        since, until = span[0], min(span[1], self.clock.now() - self.delay)
        quoted = {first or second for first, second in _QUOTED.findall(query)}
        operations = quoted & set(OPERATIONS.values())
        addresses = tuple(t.lower().rstrip("/") for t in quoted if "/secrets/" in t.rstrip("/"))
        only_200 = _ONLY_200.search(query) is not None
        return [
            row
            for row in self.rows
            if since <= row.at <= until
            and (not operations or row.operation in operations)
            and (not only_200 or row.status == 200)
            and (not addresses or _below(row.id.lower(), addresses))
        ]


def _may_query(caller: Principal, scope: str) -> bool:
    """Return whether the caller may query a workspace; other resources need no right here.

    Azure checks the right to read each table of a resource, which is not emulated.
    """
    return "/workspaces/" not in scope.lower() or caller.may(_ACTION, scope)


def _below(identity: str, addresses: tuple[str, ...]) -> bool:
    return any(identity == a or identity.startswith(a + "/") for a in addresses)


def _error(status: int, code: str, message: str) -> Response:
    return Response.of_json(status, {"error": {"code": code, "message": message}})
