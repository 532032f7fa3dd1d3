"""The operations of the secrets API: their routes, and the right that each needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from ...core.wire import Request, Response
from . import handlers
from .handlers import Target
from .vault import Vault

_ACTION = "Microsoft.KeyVault/vaults/secrets/"
_PATHS = re.compile(r"/(secrets|deletedsecrets)(?:/([^/]+))?(?:/([^/]*))?/?", re.I)


@dataclass(frozen=True)
class Operation:
    """A public name, the right that it needs as a data action and as an access policy has it."""

    name: str
    action: str
    permission: str
    run: Callable[[Vault, Request, Target], Response]
    creates: bool = False


def _operation(name: str, action: str, permission: str, *, creates: bool = False) -> Operation:
    return Operation(name, _ACTION + action, permission, getattr(handlers, name), creates)


_LIST = _operation("list_secrets", "readMetadata/action", "list")
_LIST_DELETED = _operation("list_deleted", "readMetadata/action", "list")
_GET = _operation("get_secret", "getSecret/action", "get")
_UPDATE = _operation("update_secret", "update/action", "set")
_RESTORE = _operation("restore_secret", "restore/action", "restore", creates=True)
# By the method and by the path below a secret; a get or an update has a version there, or nothing.
_ON_SECRET = {
    ("PUT", ""): _operation("set_secret", "setSecret/action", "set", creates=True),
    ("DELETE", ""): _operation("delete_secret", "delete", "delete"),
    ("POST", "backup"): _operation("backup_secret", "backup/action", "backup"),
    ("GET", "versions"): _operation("list_versions", "readMetadata/action", "list"),
}
_ON_DELETED = {
    ("GET", ""): _operation("get_deleted", "readMetadata/action", "get"),
    ("DELETE", ""): _operation("purge_deleted", "purge/action", "purge"),
    ("POST", "recover"): _operation("recover_deleted", "recover/action", "recover"),
}


def find(request: Request) -> tuple[Operation, Target] | None:
    """Return the operation that a request names and its target, or None."""
    match = _PATHS.fullmatch(unquote(request.path))
    if match is None:
        return None
    collection, name, rest = match[1].lower(), match[2] or "", (match[3] or "").lower()
    if collection == "deletedsecrets":
        return _find_deleted(request.method, name, rest)
    return _find(request.method, name, rest)


def _find(method: str, name: str, rest: str) -> tuple[Operation, Target] | None:
    if not name:
        return (_LIST, Target()) if method == "GET" else None
    if (method, name.lower(), rest) == ("POST", "restore", ""):
        return _RESTORE, Target()
    if (method, rest) in _ON_SECRET:
        return _ON_SECRET[method, rest], Target(name)
    operation = {"GET": _GET, "PATCH": _UPDATE}.get(method)
    return (operation, Target(name, rest)) if operation else None


def _find_deleted(method: str, name: str, rest: str) -> tuple[Operation, Target] | None:
    if not name:
        return (_LIST_DELETED, Target()) if method == "GET" else None
    operation = _ON_DELETED.get((method, rest))
    return (operation, Target(name)) if operation else None
