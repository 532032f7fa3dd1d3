"""Who has read a secret, from the vaults' audit logs in Log Analytics (azure-monitor-query).

Rows arrive minutes late, and a consumer that caches does not show up at all: it is evidence that
somebody has *not* moved yet, never proof that all have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.monitor.query import LogsQueryResult
from azure.monitor.query.aio import LogsQueryClient

from ..clock import Clock
from ..errors import Transient
from ..ports import Reading
from .failures import failure
from .pipeline import client_options

# Both shapes of the table, whichever the diagnostic setting writes: see "AZKVAuditLogs" and
# "AzureDiagnostics" in the Azure Monitor reference. Columns that are missing are no error.
_QUERY = """
union isfuzzy=true
  (AZKVAuditLogs
   | where OperationName == "SecretGet" and toint(column_ifexists("HttpStatusCode", 0)) == 200
   | project TimeGenerated, Id = tostring(column_ifexists("Id", "")),
             Reader = tostring(Identity.claim.oid)),
  (AzureDiagnostics
   | where ResourceProvider == "MICROSOFT.KEYVAULT" and OperationName == "SecretGet"
   | where toint(column_ifexists("httpStatusCode_d", 0)) == 200
   | project TimeGenerated, Id = tostring(column_ifexists("id_s", "")),
             Reader = coalesce(
               tostring(column_ifexists("identity_claim_oid_g", "")),
               tostring(column_ifexists("identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g", "")))
  )
| where Id startswith "{prefix}/" or Id =~ "{prefix}"
| summarize TimeGenerated = max(TimeGenerated) by Reader, Id
| project Reader, Id, TimeGenerated
"""  # noqa: E501 - the column's name is that long
_SERVER_SECONDS = 30


class LogEvidence:
    """One Log Analytics workspace that gets the audit logs of all vaults."""

    def __init__(
        self,
        workspace: str,
        credential: AsyncTokenCredential,
        clock: Clock,
        transport: Callable[[], Any] | None = None,
    ) -> None:
        options = client_options(clock)
        if transport:
            options["transport"] = transport()
        self._workspace = workspace
        self._clock = clock
        self._client = LogsQueryClient(credential, **options)

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[Reading]:
        doing = f"ask who has read {secret}"
        query = _QUERY.format(prefix=_prefix(vault_url, secret))
        span = max(self._clock.now() - since, timedelta(minutes=1))
        try:
            result = await self._client.query_workspace(
                self._workspace, query, timespan=span, server_timeout=_SERVER_SECONDS
            )
        except AzureError as exc:
            raise failure(exc, doing) from None
        if not isinstance(result, LogsQueryResult):
            raise Transient(f"{doing}: the answer is not complete", code="PartialEvidence")
        return [_reading(row) for table in result.tables for row in table.rows if row[0]]

    async def close(self) -> None:
        await self._client.close()


def _prefix(vault_url: str, secret: str) -> str:
    """Host and name have no character that KQL would read as anything else; this makes sure."""
    host = urlsplit(vault_url).hostname or ""
    safe = (c for c in f"https://{host}/secrets/{secret}" if c.isalnum() or c in ":/.-")
    return "".join(safe).lower()


def _reading(row: Any) -> Reading:
    """A read without a version in its id is counted by its time."""
    parts = str(row[1]).rstrip("/").partition("/secrets/")[2].split("/")
    at = row[2] if isinstance(row[2], datetime) else datetime.fromisoformat(str(row[2]))
    return Reading(str(row[0]), parts[1] if len(parts) > 1 else None, at.astimezone(UTC))
