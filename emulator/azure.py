"""The emulated Azure: one sans-I/O core, ``handle(request) → response``, on one clock.

azure = Azure(start=datetime(2026, 1, 1, tzinfo=UTC))        # virtual time
azure.add_account("aoai-demo", kind="OpenAI")
azure.add_vault("kv-demo")
azure.add_secret("kv-demo", "ai-key", publishes=("aoai-demo", "Key1"))
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from . import contract
from .accounts import SLOTS, Account, Accounts
from .arm.service import Arm
from .clock import Clock
from .faults import Faults, through
from .identity import Identity, Principal
from .inference import Inference
from .keyvault.events import Delivery, Subscription, Topic
from .keyvault.model import Secret, Version
from .keyvault.service import KeyVault
from .keyvault.vault import Vault
from .logs import Logs
from .topics import Topics
from .wire import Dropped, Headers, Request, Response

SUBSCRIPTION, GROUP = "11111111-1111-1111-1111-111111111111", "rg-keys"
_KEPT_CALLS = 100_000


@dataclass(frozen=True)
class Call:
    """One call that was made; no key material, hence no query and no body.

    ``principal`` is the object id of whoever's token it carried, or empty. ``status`` is None where
    the connection was dropped.
    """

    at: datetime
    operation: str
    method: str
    url: str
    status: int | None
    principal: str = ""


class UnknownHost(LookupError):
    """No emulated service has this name."""


class Azure:
    """All services behind one door. ``observers`` are called after every change of state."""

    def __init__(
        self,
        start: datetime | None = None,
        seed: int | None = None,
        *,
        check_contract: bool = False,
    ) -> None:
        """Without ``start`` in real time. ``check_contract`` raises contract.Violation."""
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
        self.arm = Arm(self.identity, self.accounts)
        self.inference = Inference(self.accounts)
        self.topics = Topics(self.identity)
        self.logs = Logs(self.clock, self.identity)
        self.keyvault.audit = self.logs.record
        self._services = (
            self.keyvault,
            self.arm,
            self.inference,
            self.topics,
            self.logs,
            self.identity,
        )

    # The wire.

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises Dropped where a fault says so, UnknownHost for other names."""
        with self._lock:
            return self._handle(request)

    def _handle(self, request: Request) -> Response:
        self.clock.run_due()
        operation, effect = self._route(request)
        fault = self.faults.take(operation, request)
        try:
            response = through(fault, effect, self.clock)
        except Dropped:
            self._note(operation, request, None)
            raise
        date = format_datetime(self.clock.now() + self.skew, usegmt=True)
        response = Response(
            response.status, Headers({**response.headers, "Date": date}), response.body
        )
        self._note(operation, request, response.status)
        if fault is None:
            for exchange in self.exchanges:
                exchange(operation, request, response)
        return response

    def knows(self, url: str) -> bool:
        """Whether any service has this host, so that a tunnel to it may be opened."""
        try:
            self._route(Request("GET", url))
        except UnknownHost:
            return False
        return True

    def delay_of(self, request: Request) -> timedelta:
        """How long the answer to this request is to be held back; asked before ``handle``."""
        operation, _ = self._route(request)
        fault = self.faults.peek(operation, request)
        return timedelta(seconds=fault.seconds if fault and fault.kind == "delay" else 0)

    def _route(self, request: Request) -> tuple[str, Callable[[], Response]]:
        for service in self._services:
            found = service.route(request)
            if found is not None:
                return found
        raise UnknownHost(request.host)

    def _note(self, operation: str, request: Request, status: int | None) -> None:
        url = request.url.partition("?")[0]
        who = self.identity.caller(request)
        self.calls.append(Call(self.clock.now(), operation, request.method, url, status, who))
        if len(self.calls) > 2 * _KEPT_CALLS:
            del self.calls[:_KEPT_CALLS]

    # Building.

    def changed(self, what: str, detail: Any) -> None:
        for observer in self.observers:
            observer(what, detail)

    def add_group(self, subscription: str = SUBSCRIPTION, group: str = GROUP) -> None:
        self.arm.subscriptions.add(subscription.lower())
        self.arm.groups.add((subscription.lower(), group.lower()))

    def add_account(
        self,
        name: str,
        kind: str = "OpenAI",
        *,
        subscription: str = SUBSCRIPTION,
        group: str = GROUP,
        location: str = "westeurope",
        **more: Any,
    ) -> Account:
        """An account with two new keys. ``more`` are members of ``Account``."""
        self.add_group(subscription, group)
        made = self.clock.now()
        return self.accounts.add(Account(subscription, group, name, kind, location, made, **more))

    def add_vault(
        self, name: str, *, subscription: str = SUBSCRIPTION, group: str = GROUP, **more: Any
    ) -> Vault:
        """An empty vault. ``more`` are members of ``Vault``."""
        self.add_group(subscription, group)
        more.setdefault("backups", self.keyvault.backups)
        vault = Vault(name, subscription, group, self.clock, self.random, self.changed, **more)
        self.keyvault.vaults[vault.host] = vault
        return vault

    def add_secret(
        self,
        vault: str,
        name: str,
        *,
        value: str | None = None,
        publishes: tuple[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        expires: datetime | None = None,
        content_type: str | None = None,
        enabled: bool = True,
    ) -> Version:
        """A new version; ``publishes`` names an account and a slot whose key is the value."""
        found, now = self.vault(vault), self.clock.now()
        if publishes is not None:
            value = self.account(publishes[0]).keys[publishes[1]]
        version = Version(
            id=found.new_version_id(),
            value=value or "",
            made=now,
            updated=now,
            enabled=enabled,
            exp=int(expires.timestamp()) if expires else None,
            content_type=content_type,
            tags=dict(tags) if tags is not None else None,
        )
        return found.set(name, version)[1]

    def add_principal(self, name: str, **more: Any) -> Principal:
        """A principal without rights; the first one is the system-assigned identity."""
        principal = Principal(name, **more)
        self.identity.principals.append(principal)
        return principal

    def subscribe(self, vault: str, url: str, **more: Any) -> Subscription:
        """Deliver a vault's events to a webhook."""
        return self.vault(vault).topic.subscribe(Subscription(url, **more))

    # Looking, and what people do.

    def vault(self, name: str) -> Vault:
        folded = name.lower()
        for vault in self.keyvault.vaults.values():
            if folded in (vault.name.lower(), vault.url):
                return vault
        raise KeyError(f"there is no vault {name!r}")

    def account(self, name: str) -> Account:
        """By name or by ARM id."""
        for account in self.accounts.by_id.values():
            if name.lower() in (account.name.lower(), account.id.lower()):
                return account
        raise KeyError(f"there is no account {name!r}")

    def secret(self, vault: str, name: str) -> Secret:
        return self.vault(vault).secret(name)

    def regenerate_by_hand(self, account: str, slot: str) -> None:
        """Somebody presses the button in the portal."""
        if slot not in SLOTS:
            raise ValueError(f"slot {slot!r} is neither Key1 nor Key2")
        self.accounts.regenerate(self.account(account), slot)

    def issued_keys(self) -> frozenset[str]:
        """Every key that ever was."""
        return frozenset(self.accounts.lives)

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self.clock.advance(delta)

    def due_deliveries(self) -> list[tuple[Topic, Delivery]]:
        """Events to be sent now, each with the topic to report to."""
        self.clock.run_due()
        topics = [vault.topic for vault in self.keyvault.vaults.values()]
        return [(topic, delivery) for topic in topics for delivery in topic.due()]


def virtual(start: datetime = datetime(2026, 11, 23, tzinfo=UTC), seed: int | None = 0) -> Azure:
    """An Azure in virtual time, the same for the same seed."""
    return Azure(start, seed)
