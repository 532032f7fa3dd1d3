"""The operations on blobs and queues, and the right that each needs.

"Authorize access with Microsoft Entra ID" names the actions; one of several is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

from ...core.clock import Clock
from ...core.wire import Request, Response
from .blobs import Blobs
from .queues import Queues

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers/"
_BLOBS = _CONTAINERS + "blobs/"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues/"
_MESSAGES = _QUEUES + "messages/"


@dataclass
class StorageAccount:
    """One account: its blobs and its queues; ``id`` is the scope of its role assignments."""

    name: str
    id: str
    clock: Clock
    blobs: Blobs = field(init=False)
    queues: Queues = field(init=False)

    def __post_init__(self) -> None:
        self.blobs, self.queues = Blobs(self.clock), Queues(self.clock)


@dataclass(frozen=True)
class Operation:
    """A public name; the actions, of which one is needed; below which scope; and the handler."""

    name: str
    actions: tuple[str, ...]
    scope: str
    run: Callable[[], Response]
    data: bool = True


def find_blob(account: StorageAccount, request: Request) -> Operation | None:
    """Return the operation on blobs that a request names, or None."""
    container, _, name = unquote(request.path).lstrip("/").partition("/")
    scope = f"{account.id}/blobServices/default/containers/{container}"
    blobs, key = account.blobs, (request.method, request.query.get("comp", ""))
    if not container:
        read = (_CONTAINERS + "read",)
        listing = partial(blobs.list_containers, request)
        found = Operation("list_containers", read, account.id, listing, data=False)
        return found if key == ("GET", "list") else None
    if not name and request.query.get("restype") == "container":
        shown = Operation(
            "get_container",
            (_CONTAINERS + "read",),
            scope,
            lambda: blobs.describe(container),
            data=False,
        )
        return {
            ("GET", ""): shown,
            ("HEAD", ""): shown,
            ("DELETE", ""): Operation(
                "delete_container",
                (_CONTAINERS + "delete",),
                scope,
                lambda: blobs.drop(container),
                data=False,
            ),
            ("PUT", ""): Operation(
                "create_container",
                (_CONTAINERS + "write",),
                scope,
                lambda: blobs.create(container),
                data=False,
            ),
            ("GET", "list"): Operation(
                "list_blobs", (_BLOBS + "read",), scope, lambda: blobs.list(container, request)
            ),
        }.get(key)
    operations: dict[tuple[str, str], tuple[str, str, Callable[..., Response]]] = {
        ("PUT", ""): ("put_blob", "write", blobs.put),
        ("GET", ""): ("get_blob", "read", blobs.get),
        ("HEAD", ""): ("get_blob_properties", "read", blobs.get),
        ("DELETE", ""): ("delete_blob", "delete", blobs.delete),
        ("PUT", "metadata"): ("set_blob_metadata", "write", blobs.set_metadata),
        ("PUT", "lease"): ("lease_blob", "write", blobs.lease),
    }
    if not name or key not in operations:
        return None
    title, action, run = operations[key]
    return Operation(title, (_BLOBS + action,), scope, lambda: run(container, name, request))


def find_queue(account: StorageAccount, request: Request) -> Operation | None:
    """Return the operation on queues that a request names, or None."""
    queue, *rest = unquote(request.path).strip("/").split("/")
    scope, queues = f"{account.id}/queueServices/default/queues/{queue}", account.queues
    key = (request.method, request.query.get("comp", ""), len(rest))
    message = rest[1] if len(rest) == 2 else ""
    found: dict[tuple[str, str, int], tuple[str, tuple[str, ...], Callable[[], Response]]] = {
        ("PUT", "", 0): ("create_queue", (_QUEUES + "write",), lambda: queues.create(queue)),
        ("DELETE", "", 0): (
            "delete_queue",
            (_QUEUES + "delete",),
            lambda: queues.delete_queue(queue),
        ),
        ("GET", "metadata", 0): (
            "get_queue",
            (_QUEUES + "read",),
            lambda: queues.metadata(queue),
        ),
        ("POST", "", 1): (
            "put_message",
            (_MESSAGES + "add/action", _MESSAGES + "write"),
            lambda: queues.put(queue, request),
        ),
        ("GET", "", 1): (
            "get_messages",
            (_MESSAGES + "process/action",),
            lambda: queues.receive(queue, request),
        ),
        ("DELETE", "", 1): (
            "clear_messages",
            (_MESSAGES + "delete",),
            lambda: queues.clear(queue),
        ),
        ("DELETE", "", 2): (
            "delete_message",
            (_MESSAGES + "delete", _MESSAGES + "process/action"),
            lambda: queues.delete(queue, message, request),
        ),
        ("PUT", "", 2): (
            "update_message",
            (_MESSAGES + "write", _MESSAGES + "process/action"),
            lambda: queues.update(queue, message, request),
        ),
    }
    if not queue:
        listing = Operation(
            "list_queues",
            (_QUEUES + "read",),
            account.id,
            partial(queues.list_queues, request),
            data=False,
        )
        return listing if key[:2] == ("GET", "list") else None
    if key not in found or (rest and rest[0].lower() != "messages"):
        return None
    name, actions, run = found[key]
    if name == "get_messages" and request.query.get("peekonly") == "true":
        name, actions = "peek_messages", (_MESSAGES + "read",)
    return Operation(name, actions, scope, run, data=len(rest) > 0)
