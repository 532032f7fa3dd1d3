"""Routes requests to the emulated services; applies faults, call logging and locking."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from ..core import contract
from ..core.clock import Clock
from ..core.faults import Faults, respond
from ..core.identity import Identity
from ..core.wire import Dropped, Headers, Request, Response
from .accounts import Accounts
from .apps import Apps
from .arm.service import Arm
from .eventgrid.custom_topics import CustomTopics
from .inference.service import Inference
from .keyvault.service import KeyVault
from .logs.service import Logs
from .storage.service import Storage

_KEPT_CALLS = 100_000


@dataclass(frozen=True)
class Call:
    """One recorded call, without query and body, so without key material.

    ``principal`` is the object id of the token's principal, or empty. ``status`` is None if the
    connection was dropped.
    """

    at: datetime
    operation: str
    method: str
    url: str
    status: int | None
    principal: str = ""


class UnknownHost(LookupError):
    """No emulated service has this host name."""


class Services:
    """All services on one clock.

    ``observers`` are called after each change of state, ``exchanges`` after each exchange that no
    fault has changed. ``skew`` moves the ``Date`` header.
    """

    def __init__(
        self,
        start: datetime | None = None,
        seed: int | None = None,
        *,
        check_contract: bool = False,
    ) -> None:
        """Start in virtual time, or in real time without ``start``.

        With ``check_contract``, ``handle`` raises contract.Violation.
        """
        self.clock = Clock(start)
        self.random = random.Random(seed)
        self.observers: list[Callable[[str, Any], None]] = []
        self.faults = Faults()
        self.calls: list[Call] = []
        self.exchanges: list[Callable[[str, Request, Response], None]] = []
        if check_contract:
            self.exchanges.append(contract.check)
        self.skew = timedelta()
        self._lock = threading.RLock()  # synchronous clients may call from many threads
        self.identity = Identity(self.clock)
        self.accounts = Accounts(self.clock, self.changed, self.random)
        self.keyvault = KeyVault(self.identity)
        self.apps = Apps(self.identity)
        self.arm = Arm(self.identity, self.accounts, self.keyvault.vaults, apps=self.apps.by_id)
        self.inference = Inference(self.accounts)
        self.topics = CustomTopics(self.identity)
        self.logs = Logs(self.clock, self.identity)
        self.storage = Storage(self.identity, self.clock)
        self.keyvault.audit = self.logs.record
        self._services = (
            self.keyvault,
            self.arm,
            self.inference,
            self.topics,
            self.logs,
            self.storage,
            self.identity,
            self.apps,
        )

    def handle(self, request: Request) -> Response:
        """Respond to a request. Raises Dropped for a fault, UnknownHost for other host names."""
        with self._lock:
            return self._handle(request)

    def _handle(self, request: Request) -> Response:
        self.clock.run_due()
        operation, effect = self._route(request)
        fault = self.faults.take(operation, request)
        try:
            response = respond(fault, effect, self.clock)
        except Dropped:
            self._record(operation, request, None)
            raise
        date = format_datetime(self.clock.now() + self.skew, usegmt=True)
        response = Response(
            response.status, Headers({**response.headers, "Date": date}), response.body
        )
        self._record(operation, request, response.status)
        if fault is None:
            for exchange in self.exchanges:
                exchange(operation, request, response)
        return response

    def operation_of(self, request: Request) -> str:
        """Return the operation's name in faults and calls. Raises UnknownHost."""
        return self._route(request)[0]

    def knows(self, url: str) -> bool:
        """Return whether a service has this URL's host."""
        try:
            self._route(Request("GET", url))
        except UnknownHost:
            return False
        return True

    def delay_of(self, request: Request) -> timedelta:
        """Return how long to hold back the response; call it before ``handle``."""
        operation, _ = self._route(request)
        fault = self.faults.peek(operation, request)
        return timedelta(seconds=fault.seconds if fault and fault.kind == "delay" else 0)

    def _route(self, request: Request) -> tuple[str, Callable[[], Response]]:
        for service in self._services:
            found = service.route(request)
            if found is not None:
                return found
        raise UnknownHost(request.host)

    def _record(self, operation: str, request: Request, status: int | None) -> None:
        url = request.url.partition("?")[0]
        principal = self.identity.caller(request)
        self.calls.append(Call(self.clock.now(), operation, request.method, url, status, principal))
        if len(self.calls) > 2 * _KEPT_CALLS:
            del self.calls[:_KEPT_CALLS]

    def changed(self, what: str, detail: Any) -> None:
        """Call the observers."""
        for observer in self.observers:
            observer(what, detail)
