"""The accounts' data plane: finds the account, and checks its network and the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from ...core import clouds
from ...core.wire import CLIENT_ADDRESS, Request, Response
from ..accounts import Account, Accounts
from .answers import error
from .routes import OPENAI, ROUTES, TRANSLATORS, Route

# The kinds of account in each domain; an empty set means every kind.
SERVICES = {
    "openai": OPENAI,
    "services.ai": frozenset({"aiservices"}),
    "cognitiveservices": frozenset[str](),
}
KEY_HEADERS = ("api-key", "Ocp-Apim-Subscription-Key", "Training-Key", "Prediction-Key")


@dataclass
class Inference:
    """The data plane of all accounts; a regional host finds the account by the key."""

    accounts: Accounts

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        """Return the operation's name and its handler, or None if the host does not exist."""
        found = [
            route
            for route in ROUTES
            if route.method == request.method and route.path.fullmatch(request.path)
        ]
        name = "inference." + (found[0].name if found else "unknown")
        if self._is_shared(request.host):
            return name, lambda: self._on_shared_host(request, found)
        account = self._named(request.host)
        return (name, lambda: self._respond(request, found, account)) if account else None

    def _named(self, host: str) -> Account | None:
        label, _, rest = host.partition(".")
        service = SERVICES.get(rest.removesuffix(".azure." + rest.rpartition(".")[2]))
        account = self.accounts.named(label) if service is not None else None
        if account is None or not rest.endswith("." + account.cloud):
            return None
        return account if not service or account.kind.lower() in service else None

    def _is_shared(self, host: str) -> bool:
        return bool(clouds.of_region(host) or clouds.of_translator(host))

    def _on_shared_host(self, request: Request, found: list[Route]) -> Response:
        """Respond for the account of the key; a wrong region is like a wrong key."""
        account = self.accounts.accepted(_key(request))
        if account is None or not _is_served(request, account):
            return _wrong_key()
        return self._respond(request, found, account)

    def _respond(self, request: Request, found: list[Route], account: Account) -> Response:
        """Check in the service's order: network, kind of authentication, key, path."""
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
        return route.respond(account, request, self.accounts.clock.now())


def _is_served(request: Request, account: Account) -> bool:
    """Return whether a host that accounts share serves this one.

    A region's host serves the accounts of its region. The Translator's needs the region of a
    regional resource in a header (Translator, "Authentication and authorization").
    """
    location = account.location.lower()
    found = clouds.of_region(request.host)
    if found:
        return found[0].accounts == account.cloud and (found[1] or "global") == location
    cloud = clouds.of_translator(request.host)
    named = str(request.headers.get("Ocp-Apim-Subscription-Region", "")).lower()
    served = account.kind.lower() in TRANSLATORS and cloud is clouds.of_accounts(account.cloud)
    return served and (named == location or (location == "global" and not named))


def _key(request: Request) -> str:
    """Return the key from any of the places where clients put it.

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
    if account.default_action.lower() == "deny" and not _is_allowed(account.ip_rules):
        return error(403, "403", "Access denied due to Virtual Network/Firewall rules.")
    return None


def _is_allowed(ip_rules: tuple[str, ...]) -> bool:
    """Return whether a rule, an address or a range, covers the client."""
    client = ip_address(CLIENT_ADDRESS)
    return any(client in ip_network(rule, strict=False) for rule in ip_rules)


def _wrong_key() -> Response:
    text = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource."
    )
    return error(401, "401", text)
