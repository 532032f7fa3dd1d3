"""The secrets API: authentication, network, rights and limits; then the operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ...core import clouds
from ...core.identity import TENANT, Identity, Principal
from ...core.rate_limits import Throttle
from ...core.wire import Headers, Request, Response
from .access import check_network, check_rights
from .audit import AuditEvent, call_event, near_expiry_event
from .backups import Backups
from .errors import KeyVaultError, bad_parameter
from .handlers import Target
from .operations import Operation, find
from .request_body import check_name
from .responses import error_response
from .vault import Vault

API_VERSIONS = re.compile(
    r"2016-10-01|7\.[0-6](-preview(\.\d)?)?|2025-0[67]-01(-preview)?|2026-0\d-01"
)
# A subscription's limit in a region, in limits of one vault.
SHARED = 5
Found = tuple[Operation, Target] | None


@dataclass
class KeyVault:
    """All vaults by host. A backup restores into any vault of its subscription."""

    identity: Identity
    vaults: dict[str, Vault] = field(default_factory=dict)
    backups: Backups = field(default_factory=Backups)
    audit: Callable[[AuditEvent], None] | None = None
    _shared: dict[tuple[str, str, bool], Throttle] = field(default_factory=dict)

    def add(self, vault: Vault) -> Vault:
        self.vaults[vault.host] = vault
        vault.events.on_near_expiry = lambda url: self._log(near_expiry_event(vault, url))
        return vault

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        vault = self.vaults.get(request.host)
        if vault is None:
            return None
        found = find(request)
        name = found[0].name if found else "unknown"
        return f"keyvault.{name}", lambda: _with_request_id(
            request, self._respond(vault, found, request)
        )

    def _respond(self, vault: Vault, found: Found, request: Request) -> Response:
        caller = self._authenticate(vault, request)
        if isinstance(caller, Principal):
            principal: Principal | None = caller
            try:
                response = self._admit(vault, found, request, caller)
            except KeyVaultError as error:
                response = error_response(vault, error)
        else:
            principal, response = None, caller
        if found:
            self._log(call_event(vault, found[0].name, request, principal, response))
        return response

    def _authenticate(self, vault: Vault, request: Request) -> Principal | Response:
        """Return the caller, or the challenge."""
        resource = "https://" + vault.suffix
        found = self.identity.bearer(request, [resource])
        if isinstance(found, Principal):
            return found
        reason = {
            "missing": "AKV10000: Request is missing a Bearer or PoP token.",
            "audience": "AKV10022: Invalid audience.",
            "expired": "AKV10042: the token is expired.",
        }.get(found, "AKV10032: Invalid issuer or signature.")
        authority = f"https://{clouds.of_vaults(vault.suffix).login}/{TENANT}"
        challenge = f'Bearer authorization="{authority}", resource="{resource}"'
        error = KeyVaultError(401, "Unauthorized", reason)
        return error_response(vault, error, {"WWW-Authenticate": challenge})

    def _admit(
        self, vault: Vault, found: Found, request: Request, principal: Principal
    ) -> Response:
        check_network(vault)
        if found is None:
            raise KeyVaultError(404, "NotFound", "There is no such operation.")
        operation, target = found
        _check_api_version(request)
        if target.name:
            check_name(target.name)
        check_rights(vault, operation, target.name, principal)
        self.throttle(vault, creates=operation.creates)
        return operation.run(vault, request, target)

    def throttle(self, vault: Vault, *, creates: bool) -> None:
        """Count the call, unless it is too many for the vault or for its subscription's region."""
        own, now = vault.creates if creates else vault.others, vault.clock.now()
        key = (vault.subscription.lower(), vault.location.lower(), creates)
        shared = self._shared.setdefault(key, Throttle(own.limit * SHARED))
        if not own.has_room(now) or not shared.has_room(now):
            limit = "VaultRequestTypeLimit" if creates else "VaultOperationLimit"
            text = f"Request was not processed. Reason: {limit}Reached"
            raise KeyVaultError(429, "Throttled", text)
        own.count(now)
        shared.count(now)

    def _log(self, event: AuditEvent) -> None:
        if self.audit:
            self.audit(event)


def _with_request_id(request: Request, response: Response) -> Response:
    """Return the response with the client's own id of the request."""
    name = "x-ms-client-request-id"
    if name not in request.headers:
        return response
    headers = Headers({**response.headers, name: request.headers[name]})
    return Response(response.status, headers, response.body)


def _check_api_version(request: Request) -> None:
    version = request.query.get("api-version", "")
    if not version:
        raise bad_parameter("api-version must be specified")
    if not API_VERSIONS.fullmatch(version):
        raise bad_parameter(f"api-version {version} is not supported")
