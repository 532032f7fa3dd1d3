"""The accounts' data plane: finds the account, and answers by the state of the key."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...core.wire import Request, Response
from ..accounts import Account, Accounts
from .routes import OPENAI, ROUTES, Route, error

# Which kinds a service's domain is for; an empty set is for every kind.
SERVICES = {
    "openai": OPENAI,
    "services.ai": frozenset({"aiservices"}),
    "cognitiveservices": frozenset[str](),
}
REGIONAL = re.compile(r"([a-z0-9]+)\.api\.cognitive\.(?:microsoft\.com|azure\.cn|azure\.us)")
KEY_HEADERS = ("api-key", "Ocp-Apim-Subscription-Key", "Training-Key", "Prediction-Key")


@dataclass
class Inference:
    """Finds the account by host, or on a regional host by the key."""

    accounts: Accounts

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        """A name in nobody's use is in no name server either, and not known."""
        found = [
            route
            for route in ROUTES
            if route.method == request.method and route.path.fullmatch(request.path)
        ]
        name = "inference." + (found[0].name if found else "unknown")
        regional = REGIONAL.fullmatch(request.host)
        if regional:
            return name, lambda: self._regional(request, found, regional[1])
        account = self._named(request.host)
        return (name, lambda: self._answer(request, found, account)) if account else None

    def _named(self, host: str) -> Account | None:
        label, _, rest = host.partition(".")
        service = SERVICES.get(rest.removesuffix(".azure." + rest.rpartition(".")[2]))
        account = self.accounts.named(label) if service is not None else None
        if account is None or not rest.endswith("." + account.cloud):
            return None
        return account if not service or account.kind.lower() in service else None

    def _regional(self, request: Request, found: list[Route], region: str) -> Response:
        account = self.accounts.accepted(_key(request))
        if account is None or account.location.lower() != region:
            return _wrong_key()
        return self._answer(request, found, account)

    def _answer(self, request: Request, found: list[Route], account: Account) -> Response:
        """The order in which the service looks: network, kind of authentication, key, path."""
        refusal = _network(account)
        if refusal:
            return refusal
        key = _key(request)
        if account.disable_local_auth and key:
            text = "Key based authentication is disabled for this resource."
            return error(403, "AuthenticationTypeDisabled", text)
        if self.accounts.accepted(key) is not account:
            return _wrong_key()
        if account.rate_limited:
            text = "Requests have exceeded call rate limit. Please retry after 6 seconds."
            headers = {"Retry-After": "6", "x-ratelimit-remaining-requests": "0"}
            return error(429, "429", text, headers)
        route = next((r for r in found if account.kind.lower() in r.kinds), None)
        if route is None or (route.versioned and "api-version" not in request.query):
            return error(404, "404", "Resource not found")
        return route.answer(account, request)


def _key(request: Request) -> str:
    """The key, wherever a client put it.

    The v1 API also takes it as a bearer token, which is how OpenAI's own client sends it (Azure
    OpenAI, "API evolution").
    """
    for name in KEY_HEADERS:
        if request.headers.get(name):
            return str(request.headers[name])
    scheme, _, token = str(request.headers.get("Authorization", "")).partition(" ")
    if scheme.lower() == "bearer" and request.path.lower().startswith("/openai/v1/"):
        return token.strip()
    return request.query.get("subscription-key", "")


def _network(account: Account) -> Response | None:
    if not account.public_network:
        return error(403, "403", "Public access is disabled. Please configure private endpoint.")
    if account.default_action.lower() == "deny":
        return error(403, "403", "Access denied due to Virtual Network/Firewall rules.")
    return None


def _wrong_key() -> Response:
    text = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource."
    )
    return error(401, "401", text)
