"""Lets apps read their secrets again, through Resource Manager.

App Service and Functions fetch their Key Vault references; a Container App restarts its active
revisions. The service needs a role on each of these apps: see docs/permissions.md.

Sources: the POST to ``/config/configreferences/appsettings/refresh`` is in "Use Key Vault
references as app settings", section "Understand rotation" (Microsoft Learn; added by
MicrosoftDocs/azure-docs#126435). It is not in Azure's REST reference, and no action of that name
is in "Azure permissions for Web and Mobile". The restart is "Container Apps Revisions - Restart
Revision" in the REST reference.
"""

from __future__ import annotations

from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from ..domain.cloud import PUBLIC, Cloud
from ..domain.consumers import Consumer
from ..domain.errors import Permanent, RotationError, Transient
from ..runtime.clock import Clock
from .pipeline import TransportFactory, client_options
from .policy_rules import object_of
from .sdk_errors import failure

# Azure documents these versions: "Use Key Vault references", and "Container Apps Revisions".
WEB, CONTAINER_APPS = "2022-03-01", "2024-03-01"

_REFRESH = "/config/configreferences/appsettings/refresh"


class AppRefresher:
    """A client for Resource Manager. Each call is sent once."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        clock: Clock,
        cloud: Cloud = PUBLIC,
        transport: TransportFactory | None = None,
    ) -> None:
        options = client_options(clock)
        dates = options.pop("per_call_policies")
        if transport:
            options["transport"] = transport()
        chain = [
            policies.UserAgentPolicy(sdk_moniker="azure-ai-key-rotation"),
            policies.AsyncBearerTokenCredentialPolicy(credential, cloud.scope),
            *dates,
        ]
        self._endpoint = cloud.manager
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            base_url=cloud.manager, policies=chain, **options
        )

    async def refresh(self, consumer: Consumer) -> None:
        """Refresh the references of an app, or restart the active revisions of a Container App."""
        if not consumer.is_container_app:
            await self._send(consumer, "POST", f"{consumer.resource}{_REFRESH}", WEB)
            return
        listed = await self._send(consumer, "GET", f"{consumer.resource}/revisions", CONTAINER_APPS)
        for name in _active(listed):
            path = f"{consumer.resource}/revisions/{name}/restart"
            await self._send(consumer, "POST", path, CONTAINER_APPS)

    async def _send(self, consumer: Consumer, method: str, path: str, version: str) -> Any:
        request = HttpRequest(method, f"{self._endpoint}{path}?api-version={version}")
        try:
            response = await self._client.send_request(request)
            await response.read()
            if response.status_code not in (200, 202, 204):
                raise HttpResponseError(response=response)
            return response.json() if method == "GET" else None
        except AzureError as exc:
            raise _failed(exc, consumer) from None
        except ValueError:
            raise Transient("the response is not JSON", code="Unreadable") from None

    async def close(self) -> None:
        await self._client.close()


def _active(listed: Any) -> list[str]:
    found = object_of(listed).get("value")
    revisions = [object_of(one) for one in found] if isinstance(found, list) else []
    names = [
        str(one.get("name", ""))
        for one in revisions
        if object_of(one.get("properties")).get("active") is True
    ]
    return [name for name in names if name.replace("-", "").isalnum() and name.isascii()]


def _failed(exc: AzureError, consumer: Consumer) -> RotationError:
    found = failure(exc, f"refresh {consumer.name}")
    if getattr(exc, "status_code", None) == 403:
        remedy = f"grant the service's identity the role {consumer.role} on this app"
        return Permanent(str(found), code=found.code, remedy=remedy)
    return found
