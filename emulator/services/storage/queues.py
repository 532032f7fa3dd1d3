"""Queues and their messages."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ...core.clock import Clock
from ...core.wire import Headers, Request, Response
from .errors import StorageError
from .listings import listed

MAX_MESSAGE, MAX_RECEIVED = 64 * 1024, 32
WEEK = int(timedelta(days=7).total_seconds())
_NEVER = datetime.max


@dataclass
class Message:
    """A message; ``receipt`` changes whenever it is received or updated."""

    text: str
    inserted: datetime
    expires: datetime | None
    visible: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receipt: str = field(default_factory=lambda: uuid.uuid4().hex)
    count: int = 0


@dataclass
class Queues:
    """The queues of one account, each with its messages in order."""

    clock: Clock
    queues: dict[str, list[Message]] = field(default_factory=dict)

    def create(self, queue: str) -> Response:
        status = 204 if queue in self.queues else 201
        self.queues.setdefault(queue, [])
        return Response(status)

    def delete_queue(self, queue: str) -> Response:
        self._queue(queue)
        del self.queues[queue]
        return Response(204)

    def metadata(self, queue: str) -> Response:
        count = str(len(self._queue(queue)))
        return Response(200, Headers({"x-ms-approximate-messages-count": count}))

    def list_queues(self, request: Request) -> Response:
        """List the queues whose names have the prefix."""
        prefix = request.query.get("prefix", "")
        names = (name for name in sorted(self.queues) if name.startswith(prefix))
        return listed("Queues", (f"<Queue><Name>{name}</Name></Queue>" for name in names))

    def put(self, queue: str, request: Request) -> Response:
        messages, now = self._queue(queue), self.clock.now()
        text = _text(request)
        delay, ttl = _number(request, "visibilitytimeout", 0), _number(request, "messagettl", WEEK)
        _check_delay(delay)
        if ttl != -1 and (ttl < 1 or delay >= ttl):
            raise StorageError(400, "InvalidQueryParameterValue")
        expires = None if ttl == -1 else now + timedelta(seconds=ttl)
        message = Message(text, now, expires, now + timedelta(seconds=delay))
        messages.append(message)
        return _listed([message], 201, with_text=False)

    def receive(self, queue: str, request: Request) -> Response:
        """Return visible messages; they are hidden unless they are only peeked at."""
        messages, now = self._queue(queue), self.clock.now()
        number, hidden = (
            _number(request, "numofmessages", 1),
            _number(request, "visibilitytimeout", 30),
        )
        if not 1 <= number <= MAX_RECEIVED or hidden < 1:
            raise StorageError(400, "OutOfRangeQueryParameterValue")
        _check_delay(hidden)
        found = [m for m in messages if m.visible <= now][:number]
        if request.query.get("peekonly") == "true":
            return _listed(found, 200, with_receipt=False)
        for message in found:
            message.visible, message.receipt = now + timedelta(seconds=hidden), uuid.uuid4().hex
            message.count += 1
        return _listed(found, 200)

    def update(self, queue: str, name: str, request: Request) -> Response:
        message = self._find(queue, name, request)
        delay = _number(request, "visibilitytimeout", 0)
        _check_delay(delay)
        message.text = _text(request) if request.body else message.text
        message.visible = self.clock.now() + timedelta(seconds=delay)
        message.receipt = uuid.uuid4().hex
        at = format_datetime(message.visible, usegmt=True)
        return Response(
            204, Headers({"x-ms-popreceipt": message.receipt, "x-ms-time-next-visible": at})
        )

    def delete(self, queue: str, name: str, request: Request) -> Response:
        found = self._find(queue, name, request)
        self.queues[queue].remove(found)
        return Response(204)

    def clear(self, queue: str) -> Response:
        self._queue(queue).clear()
        return Response(204)

    def _queue(self, name: str) -> list[Message]:
        if name not in self.queues:
            raise StorageError(404, "QueueNotFound")
        now = self.clock.now()
        self.queues[name] = [m for m in self.queues[name] if m.expires is None or m.expires > now]
        return self.queues[name]

    def _find(self, queue: str, name: str, request: Request) -> Message:
        found = next((m for m in self._queue(queue) if m.id == name), None)
        if found is None:
            raise StorageError(404, "MessageNotFound")
        if found.receipt != request.query.get("popreceipt"):
            raise StorageError(400, "PopReceiptMismatch")
        return found


def _text(request: Request) -> str:
    try:
        root = ElementTree.fromstring(request.body)  # noqa: S314 - from a test's own client
        text = root.findtext("MessageText") or ""
    except ElementTree.ParseError:
        raise StorageError(400, "InvalidXmlDocument") from None
    if len(text.encode()) > MAX_MESSAGE:
        raise StorageError(413, "RequestBodyTooLarge")
    return text


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query.get(name, default))
    except ValueError:
        raise StorageError(400, "InvalidQueryParameterValue") from None


def _check_delay(seconds: int) -> None:
    if not 0 <= seconds <= WEEK:
        raise StorageError(400, "OutOfRangeQueryParameterValue")


def _listed(
    messages: Iterable[Message], status: int, *, with_text: bool = True, with_receipt: bool = True
) -> Response:
    items = "".join(_item(m, with_text, with_receipt) for m in messages)
    xml = '<?xml version="1.0" encoding="utf-8"?>'
    body = f"{xml}<QueueMessagesList>{items}</QueueMessagesList>"
    return Response(status, Headers({"Content-Type": "application/xml"}), body.encode())


def _item(message: Message, with_text: bool, with_receipt: bool) -> str:
    expires = message.expires or _NEVER.replace(tzinfo=message.inserted.tzinfo)
    members = {
        "MessageId": message.id,
        "InsertionTime": format_datetime(message.inserted, usegmt=True),
        "ExpirationTime": format_datetime(expires, usegmt=True),
    }
    if with_receipt:
        members["PopReceipt"] = message.receipt
        members["TimeNextVisible"] = format_datetime(message.visible, usegmt=True)
    if with_text:
        members |= {"DequeueCount": str(message.count), "MessageText": escape(message.text)}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return f"<QueueMessage>{inner}</QueueMessage>"
