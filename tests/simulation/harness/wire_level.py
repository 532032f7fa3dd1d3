"""The wire level: the adapters and the real SDK clients, on the in-process transport."""

from __future__ import annotations

from email.utils import format_datetime

from emulator.azure import Azure
from emulator.core.wire import Dropped, Headers, Request, Response
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.cognitive_services import ArmAccounts
from rotation.adapters.key_vault import KeyVaults
from rotation.adapters.probe import DataPlaneProbe
from rotation.adapters.resource_manager import ArmResources
from rotation.adapters.topic_notifier import TopicNotifier
from rotation.ports import Accounts, Notifier, Probe, Vaults
from rotation.runtime.clock import Clock

from .faults import Fault
from .interceptor import Interceptor, Process

TOPIC = "https://topic.westeurope-1.eventgrid.azure.net/api/events"


class InterceptedTransport(AsyncEmulatorTransport):
    """A transport that passes every request with a token or a key to the interceptor."""

    def __init__(self, interceptor: Interceptor, by: Process) -> None:
        super().__init__(interceptor.azure)
        self._interceptor, self._by = interceptor, by

    async def exchange(self, request: Request) -> Response:
        name = self._azure.operation_of(request)
        if name.startswith("keyvault.") and "Authorization" not in request.headers:
            return await super().exchange(request)  # only asks for the challenge
        if name.startswith("inference."):
            return await self._probe(request)

        def fail(fault: Fault) -> Response:
            return fault_response(self._azure, fault)

        return await self._interceptor.call(
            self._by, name, lambda: self._azure.handle(request), fail
        )

    async def _probe(self, request: Request) -> Response:
        def use() -> Response:
            self._interceptor.watch_probe({*request.headers.values()})
            response = self._azure.handle(request)
            if response.status == 200:
                self._interceptor.accepted_keys.update(request.headers.values())
            return Response.of_json(200, {}) if self._interceptor.accepts_any_key else response

        def fail(fault: Fault) -> Response:
            return fault_response(self._azure, fault)

        return await self._interceptor.call(self._by, "probe", use, fail)


def fault_response(azure: Azure, fault: Fault) -> Response:
    """Return the response of a fault. Raises Dropped if it has none."""
    if fault.status is None:
        raise Dropped(fault.name)
    headers = {"Date": format_datetime(azure.clock.now() + azure.skew, usegmt=True)}
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    body = {"error": {"code": fault.code, "message": fault.code}}
    return Response.of_json(fault.status, body, Headers(headers))


def resources(interceptor: Interceptor, by: Process, clock: Clock) -> ArmResources:
    """Return the adapter that the doctor uses."""
    credential = AsyncCredential(interceptor.azure, interceptor.azure.identity.principals[0])
    return ArmResources(credential, clock, transport=lambda: InterceptedTransport(interceptor, by))


def clients(
    interceptor: Interceptor, by: Process, clock: Clock, vaults: tuple[str, ...]
) -> tuple[Accounts, Vaults, Probe, Notifier]:
    """Return the adapters as in production, except for the transport and the token."""
    credential = AsyncCredential(interceptor.azure, interceptor.azure.identity.principals[0])

    def transport() -> InterceptedTransport:
        return InterceptedTransport(interceptor, by)

    return (
        ArmAccounts(credential, clock, transport=transport),
        KeyVaults(vaults, credential, clock, transport),
        DataPlaneProbe(transport),
        TopicNotifier(TOPIC, credential, transport),
    )
