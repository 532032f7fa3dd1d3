"""The storage endpoints: authentication, rights, then the operation."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from ...core.clock import Clock
from ...core.identity import TENANT, Identity, Principal
from ...core.wire import Headers, Request, Response
from .errors import StorageError
from .routes import Operation, StorageAccount, find_blob, find_queue

AUDIENCE = "https://storage.azure.com"
_HOST = re.compile(
    r"([a-z0-9]{3,24})\.(blob|queue)\.core\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)"
)
_FIND = {"blob": find_blob, "queue": find_queue}


@dataclass
class Storage:
    """All storage accounts by name."""

    identity: Identity
    clock: Clock
    accounts: dict[str, StorageAccount] = field(default_factory=dict)

    def add(self, name: str, group: str) -> StorageAccount:
        """Add an account to a resource group, an ARM id."""
        scope = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        self.accounts[name] = StorageAccount(name, scope, self.clock)
        return self.accounts[name]

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        match = _HOST.fullmatch(request.host)
        account = self.accounts.get(match[1]) if match else None
        if match is None or account is None:
            return None
        operation = _FIND[match[2]](account, request)
        name = operation.name if operation else "unknown"
        return f"storage.{name}", lambda: self._respond(request, operation)

    def _respond(self, request: Request, operation: Operation | None) -> Response:
        request_id = str(uuid.uuid4())
        more = {"x-ms-request-id": request_id, "x-ms-version": _version(request)}
        client_id = request.headers.get("x-ms-client-request-id")
        more |= {"x-ms-client-request-id": client_id} if client_id else {}
        try:
            response = self._admit(request, operation)
        except StorageError as error:
            more |= {"x-ms-error-code": error.code, "Content-Type": "application/xml"}
            if error.status == 401:
                more["WWW-Authenticate"] = _challenge()
            body = error.body(request_id, self.clock.now().isoformat())
            bodiless = request.method == "HEAD" or error.status == 304
            response = Response(error.status, body=b"" if bodiless else body)
        return Response(response.status, Headers({**response.headers, **more}), response.body)

    def _admit(self, request: Request, operation: Operation | None) -> Response:
        principal = self._authenticate(request)
        if operation is None:
            raise StorageError(400, "InvalidUri")
        allowed = (
            principal.may(a, operation.scope, data=operation.data) for a in operation.actions
        )
        if not any(allowed):
            raise StorageError(403, "AuthorizationPermissionMismatch")
        return operation.run()

    def _authenticate(self, request: Request) -> Principal:
        scheme = str(request.headers.get("Authorization", "")).partition(" ")[0].lower()
        if scheme == "sharedkey" or "sig" in request.query:
            raise StorageError(403, "KeyBasedAuthenticationNotPermitted")
        audiences = (AUDIENCE, f"https://{request.host}")
        found = self.identity.bearer(request, audiences)
        if isinstance(found, Principal):
            return found
        missing = found == "missing"
        code = "NoAuthenticationInformation" if missing else "InvalidAuthenticationInfo"
        raise StorageError(401, code)


def _challenge() -> str:
    authority = f"https://login.microsoftonline.com/{TENANT}/oauth2/authorize"
    return f"Bearer authorization_uri={authority} resource_id={AUDIENCE}"


def _version(request: Request) -> str:
    return str(request.headers.get("x-ms-version", "2025-11-05"))
