"""Reads of a secret, from the vaults' audit logs in Log Analytics (azure-monitor-query).

Rows arrive minutes late, and consumers with a cache do not appear. The logs can show that a
consumer still uses the old version, but never that none does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.monitor.query import LogsQueryResult
from azure.monitor.query.aio import LogsQueryClient

from ..domain.cloud import PUBLIC
from ..domain.errors import Permanent, RotationError, Transient
from ..domain.targets import SecretRead
from ..runtime.clock import Clock
from .pipeline import TransportFactory, client_options
from .sdk_errors import failure

# Both tables that a diagnostic setting can write to: see "AZKVAuditLogs" and "AzureDiagnostics" in
# the Azure Monitor reference. A missing table or column is not an error. If the log has no
# versioned id, the request's address replaces it.
_QUERY = """
union isfuzzy=true
  (AZKVAuditLogs
   | where OperationName == "SecretGet"
   | extend Who = column_ifexists("Identity", dynamic(null))
   | project TimeGenerated,
             Status = toint(column_ifexists("HttpStatusCode", int(null))),
             Object = tostring(column_ifexists("Id", "")),
             Address = tostring(column_ifexists("RequestUri", "")),
             Reader = coalesce(tostring(Who.claim.oid), tostring(Who.claim.appid),
                               tostring(Who.claim.xms_mirid)),
             Mirid = tostring(Who.claim.xms_mirid)),
  (AzureDiagnostics
   | where ResourceProvider =~ "MICROSOFT.KEYVAULT" and OperationName == "SecretGet"
   | project TimeGenerated,
             Status = toint(column_ifexists("httpStatusCode_d", real(null))),
             Object = tostring(column_ifexists("id_s", "")),
             Address = tostring(column_ifexists("requestUri_s", "")),
             Reader = coalesce(
               tostring(column_ifexists("identity_claim_oid_g", "")),
               tostring(column_ifexists("{long_oid}", "")),
               tostring(column_ifexists("identity_claim_appid_g", ""))),
             Mirid = "")
| where Status == 200
| extend Id = iff(Object contains "/secrets/", Object, tostring(split(Address, "?")[0]))
| extend Id = trim_end("/", replace_string(Id, ":443/", "/"))
| where Id =~ "{url}" or Id startswith "{url}/"
| summarize TimeGenerated = max(TimeGenerated) by Reader, Id, Mirid
| project Reader, Id, TimeGenerated, Mirid
"""

_LONG_OID = "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g"

_SERVER_SECONDS = 25  # less than the client's timeout, so that the response explains the failure

_HOST, _SECRET = re.compile(r"[a-z0-9.-]+"), re.compile(r"[0-9A-Za-z-]{1,127}")

_NOBODY_KNOWN = "unknown"

_REMEDY = (
    "grant the service's identity the role Log Analytics Data Reader on the workspace, and send "
    "the AuditEvent logs of all vaults to it"
)


class LogEvidence:
    """Reads the audit logs of all vaults.

    ``workspace`` is a workspace's id, or the ARM id of a resource that has the logs; ``endpoint``
    is the cloud's.
    """

    def __init__(
        self,
        workspace: str,
        credential: AsyncTokenCredential,
        clock: Clock,
        transport: TransportFactory | None = None,
        endpoint: str = PUBLIC.logs,
    ) -> None:
        options = client_options(clock)
        if transport:
            options["transport"] = transport()
        self._workspace = workspace
        self._clock = clock
        self._client = LogsQueryClient(credential, endpoint=endpoint, **options)

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[SecretRead]:
        """Return the last read of each version by each identity.

        Raises Transient if the result is partial: partial evidence is not evidence. Raises
        ValueError if ``secret`` is not a valid name.
        """
        doing = f"ask who has read {secret}"
        client = self._client
        ask = client.query_resource if self._workspace.startswith("/") else client.query_workspace
        span = max(self._clock.now() - since, timedelta(minutes=1))
        query = query_for(vault_url, secret)
        try:
            result = await ask(
                self._workspace, query, timespan=span, server_timeout=_SERVER_SECONDS
            )
        except AzureError as exc:
            raise _failed(exc, doing) from None
        if not isinstance(result, LogsQueryResult):
            raise Transient(f"{doing}: the result is partial", code="PartialEvidence")
        return [_reading(row) for table in result.tables for row in table.rows]

    async def close(self) -> None:
        await self._client.close()


def query_for(vault_url: str, secret: str) -> str:
    """Return KQL for the reads of one secret.

    Raises ValueError for names that Key Vault does not allow: quotes could end the string, and an
    escaped name could be another secret's.
    """
    host = urlsplit(vault_url).hostname or ""
    if not _HOST.fullmatch(host) or not _SECRET.fullmatch(secret):
        raise ValueError(f"{vault_url[:80]!r} and {secret[:127]!r} are not a vault and a secret")
    return _QUERY.format(url=f"https://{host}/secrets/{secret}".lower(), long_oid=_LONG_OID)


def _failed(exc: AzureError, doing: str) -> RotationError:
    found = failure(exc, doing)
    if isinstance(found, Permanent) and getattr(exc, "status_code", None) is not None:
        return Permanent(str(found), code=found.code, remedy=_REMEDY)
    return found


def _reading(row: Any) -> SecretRead:
    """Parse a result row. Reads without an identity still count."""
    parts = str(row[1]).rstrip("/").partition("/secrets/")[2].split("/")
    at = datetime.fromisoformat(str(row[2]))
    version = parts[1] if len(parts) > 1 else None
    return SecretRead(str(row[0] or _NOBODY_KNOWN), version, at.astimezone(UTC), str(row[3] or ""))
