"""The control API below ``/_emulator/``: state, clock, faults, and a person's actions.

Keys are shown as hashes; ``?reveal=keys`` shows the keys themselves, for tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from .. import seed
from ..azure import Azure
from ..core.faults import Fault
from ..core.wire import Request, Response
from ..services.accounts import Account
from .delivery import Deliverer

# The fields of an account that may be changed.
_SWITCHES = {f.name for f in fields(Account) if f.type in ("bool", "bool | None", "str")}
Handler = Callable[[Request, dict[str, Any]], Any]


class Control:
    """One handler for each path, from JSON to JSON."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self.deliverer = Deliverer(azure)
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "state"): self._state,
            ("GET", "calls"): self._calls,
            ("GET", "events"): self._events,
            ("GET", "deliveries"): self._deliveries,
            ("POST", "clock"): self._clock,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "regenerate"): self._regenerate,
            ("POST", "account"): self._account,
            ("POST", "seed"): self._seed,
            ("POST", "secret"): self._secret,
            ("POST", "subscriptions"): self._subscribe,
        }

    async def handle(self, request: Request) -> Response:
        name = request.path.removeprefix("/_emulator/").strip("/")
        handler = self._handlers.get((request.method, name))
        if handler is None:
            known = sorted(f"{method} /_emulator/{path}" for method, path in self._handlers)
            return Response.of_json(404, {"error": "no such control", "known": known})
        try:
            body = request.json() if request.body else {}
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            result = handler(request, body)
            if isinstance(result, Awaitable):
                result = await result
        except (KeyError, ValueError, TypeError, OverflowError) as exc:
            return Response.of_json(400, {"error": str(exc)})
        return Response.of_json(200, result)

    def _state(self, request: Request, body: dict[str, Any]) -> Any:
        reveal = request.query.get("reveal") == "keys"
        show = (lambda key: key) if reveal else _hash
        azure = self._azure
        return {
            "now": azure.clock.now().isoformat(),
            "accounts": {
                account.name: {slot: show(key) for slot, key in account.keys.items()}
                for account in azure.accounts.by_id.values()
            },
            "vaults": {
                vault.name: {
                    secret.name: [
                        {
                            "version": version.id,
                            "value": show(version.value),
                            "enabled": version.enabled,
                            "created": version.created.isoformat(),
                            "exp": version.exp,
                            "tags": version.tags or {},
                        }
                        for version in secret.versions
                    ]
                    for secret in vault.secrets.values()
                }
                for vault in azure.keyvault.vaults.values()
            },
        }

    def _calls(self, request: Request, body: dict[str, Any]) -> Any:
        wanted = request.query.get("operation", "")
        calls = (asdict(call) for call in self._azure.calls)
        return [
            call | {"at": call["at"].isoformat()} for call in calls if wanted in call["operation"]
        ]

    def _events(self, request: Request, body: dict[str, Any]) -> Any:
        return self._azure.topics.received

    def _deliveries(self, request: Request, body: dict[str, Any]) -> Any:
        topics = [vault.topic for vault in self._azure.keyvault.vaults.values()]
        return {
            "delivered": self.deliverer.delivered,
            "pending": sum(len(topic.pending) for topic in topics),
            "dead": sum(len(topic.dead_letters) for topic in topics),
        }

    def _clock(self, request: Request, body: dict[str, Any]) -> Any:
        self._azure.advance(timedelta(seconds=float(body["advance"])))
        return {"now": self._azure.clock.now().isoformat()}

    def _add_fault(self, request: Request, body: dict[str, Any]) -> Any:
        self._azure.faults.add(Fault.of(body))
        return {}

    def _clear_faults(self, request: Request, body: dict[str, Any]) -> Any:
        self._azure.faults.clear()
        return {}

    def _regenerate(self, request: Request, body: dict[str, Any]) -> Any:
        self._azure.regenerate_by_hand(str(body["account"]), str(body["slot"]))
        return {}

    def _account(self, request: Request, body: dict[str, Any]) -> Any:
        """Change an account's switches, such as ``locked`` or ``disable_local_auth``."""
        account = self._azure.account(str(body.pop("name")))
        for name, value in body.items():
            if name not in _SWITCHES:
                raise ValueError(f"an account has no switch {name!r}")
            setattr(account, name, value)
        return {}

    def _seed(self, request: Request, body: dict[str, Any]) -> Any:
        seed.plant(self._azure, body)
        return {}

    def _secret(self, request: Request, body: dict[str, Any]) -> Any:
        """Add a version of a secret, as a user with the rights would."""
        seed.secret(self._azure, str(body.pop("vault")), body)
        return {}

    async def _subscribe(self, request: Request, body: dict[str, Any]) -> Any:
        """Subscribe an endpoint after its validation handshake, as Azure does."""
        subscription = seed.subscription(body)
        topic = self._azure.vault(str(body["vault"])).topic
        await self.deliverer.validate(subscription, topic)
        topic.subscribe(subscription)
        return {}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]
