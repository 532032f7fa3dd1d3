"""Resource Manager for Azure AI accounts: get, list, listKeys, regenerateKey, and its limits."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from .accounts import SLOTS, Account, Accounts
from .armanswers import PROVIDER, Refused, both, error, no_route, ok, permissions, shown
from .identity import TENANT, Identity, Principal
from .throttle import Bucket
from .wire import Headers, Request, Response

HOSTS = {
    "management.azure.com": ("https://management.azure.com", "https://management.core.windows.net"),
    "management.chinacloudapi.cn": (
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn",
    ),
    "management.usgovcloudapi.net": (
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
    ),
}
API_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
PAGE = 100
_LIST = re.compile(
    r"/subscriptions/([^/]+)(?:/resourcegroups/([^/]+))?"
    r"/providers/microsoft\.cognitiveservices/accounts/?",
    re.I,
)
_ACCOUNT = re.compile(
    r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.cognitiveservices"
    r"/accounts/([^/]+)(?:/(listkeys|regeneratekey|providers/microsoft\.authorization/permissions))?/?",
    re.I,
)
_OPERATIONS = {
    ("GET", ""): ("get_account", "read"),
    ("POST", "listkeys"): ("list_keys", "listKeys/action"),
    ("POST", "regeneratekey"): ("regenerate_key", "regenerateKey/action"),
    ("GET", "providers/microsoft.authorization/permissions"): ("permissions", ""),
}


@dataclass
class Arm:
    """The control plane. Everything below a subscription that does not exist is not found."""

    identity: Identity
    accounts: Accounts
    subscriptions: set[str] = field(default_factory=set)
    groups: set[tuple[str, str]] = field(default_factory=set)
    unregistered: set[str] = field(default_factory=set)
    buckets: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)
    throttled: bool = True
    page: int = PAGE

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        if request.host not in HOSTS:
            return None
        path = unquote(request.path)
        listing, account = _LIST.fullmatch(path), _ACCOUNT.fullmatch(path)
        if listing and request.method == "GET":
            name = "list_accounts_by_group" if listing[2] else "list_accounts"
            return f"arm.{name}", lambda: self._guarded(request, listing[1], self._list)
        key = (request.method, (account[4] or "").lower()) if account else ("", "?")
        if account and key in _OPERATIONS:
            name, action = _OPERATIONS[key]

            def run(r: Request, p: Principal) -> Response:
                return self._account(r, p, account, name, action)

            return f"arm.{name}", lambda: self._guarded(request, account[1], run)
        return "arm.unknown", lambda: self._guarded(request, "", _nothing)

    def _guarded(
        self, request: Request, subscription: str, run: Callable[[Request, Principal], Response]
    ) -> Response:
        headers: dict[str, str] = {}
        try:
            principal = self._caller(request)
            _check_api_version(request)
            headers = self._throttle(request, principal, subscription.lower())
            response = run(request, principal)
        except Refused as refusal:
            response = error(refusal)
        return Response(response.status, Headers({**response.headers, **headers}), response.body)

    def _caller(self, request: Request) -> Principal:
        found = self.identity.bearer(request, HOSTS[request.host])
        if isinstance(found, Principal):
            return found
        authority = f"https://login.windows.net/{TENANT}"
        challenge = f'Bearer authorization_uri="{authority}", error="invalid_token"'
        code, text = {
            "missing": ("AuthenticationFailed", "Authentication failed. The header is missing."),
            "expired": ("ExpiredAuthenticationToken", "The access token expiry has passed."),
            "audience": ("InvalidAuthenticationTokenAudience", "The audience is not accepted."),
        }.get(found, ("InvalidAuthenticationToken", "The access token is invalid."))
        raise Refused(401, code, text, WWW_Authenticate=challenge)

    def _throttle(
        self, request: Request, principal: Principal, subscription: str
    ) -> dict[str, str]:
        kind = "reads" if request.method == "GET" else "writes"
        now = self.accounts.clock.now()
        size, refill = (250.0, 25.0) if kind == "reads" else (200.0, 10.0)
        key = (principal.object_id, subscription, kind)
        bucket = self.buckets.setdefault(key, Bucket(size, refill, size, now))
        if self.throttled and not bucket.take(now):
            text = f"Number of {kind} for the subscription exceeded the limit."
            wait = str(max(1, int((1 - bucket.left) / refill + 0.999)))
            none = {f"x_ms_ratelimit_remaining_subscription_{kind}": "0"}
            raise Refused(429, "SubscriptionRequestsThrottled", text, Retry_After=wait, **none)
        left = int(bucket.left)
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(left),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(left * 15),
        }

    def _list(self, request: Request, principal: Principal) -> Response:
        match = _LIST.fullmatch(unquote(request.path))
        assert match is not None
        subscription, group = match[1].lower(), (match[2] or "").lower()
        self._check_scope(subscription, group)
        scope = f"/subscriptions/{match[1]}" + (f"/resourceGroups/{match[2]}" if group else "")
        found = [
            account
            for account in sorted(self.accounts.by_id.values(), key=lambda a: a.id.lower())
            if account.subscription.lower() == subscription
            and (not group or account.resource_group.lower() == group)
            and principal.may(f"{PROVIDER}/read", account.id)
        ]
        if not found:
            _check_right(principal, f"{PROVIDER}/read", scope, self._any_below(principal, scope))
        return self._page(request, found)

    def _any_below(self, principal: Principal, scope: str) -> bool:
        """A right on any account below lets a list answer, if only with those."""
        return any(s.lower().startswith(scope.lower()) for s, _ in principal.assignments)

    def _page(self, request: Request, found: list[Account]) -> Response:
        start = _start(request)
        body: dict[str, Any] = {
            "value": [shown(account) for account in found[start : start + self.page]]
        }
        if start + self.page < len(found):
            following = base64.urlsafe_b64encode(str(start + self.page).encode()).decode()
            base = request.url.partition("?")[0]
            version = quote(request.query.get("api-version", ""))
            body["nextLink"] = f"{base}?api-version={version}&$skiptoken={quote(following)}"
        return ok(body)

    def _account(
        self, request: Request, principal: Principal, match: re.Match[str], name: str, action: str
    ) -> Response:
        subscription, group = match[1].lower(), match[2].lower()
        scope = (
            f"/subscriptions/{match[1]}/resourceGroups/{match[2]}/providers/{PROVIDER}/{match[3]}"
        )
        self._check_scope(subscription)
        if action:
            _check_right(principal, f"{PROVIDER}/{action}", scope)
        self._check_scope(subscription, group)
        account = self.accounts.by_id.get(scope.lower())
        if account is None:
            raise Refused(
                404,
                "ResourceNotFound",
                f"The Resource '{PROVIDER}/{match[3]}' under resource group '{match[2]}' was not "
                "found.",
            )
        if name == "get_account":
            return ok(shown(account))
        if name == "permissions":
            return ok(permissions(principal, scope))
        return self._keys(request, account, name)

    def _keys(self, request: Request, account: Account, name: str) -> Response:
        """POST actions: a lock or an unfinished deployment forbids them all."""
        if account.locked:
            text = (
                f"The scope '{account.id}' cannot perform write operation because following "
                f"scope(s) are locked: '{account.id}'. Please remove the lock and try again."
            )
            raise Refused(409, "ScopeLocked", text)
        if account.provisioning_state != "Succeeded":
            text = f"Account {account.name} in state {account.provisioning_state}"
            raise Refused(409, "AccountProvisioningStateInvalid", text)
        verb = "list" if name == "list_keys" else "regenerate"
        if account.disable_local_auth:
            text = f"Failed to {verb} key. disableLocalAuth is set to be true"
            raise Refused(400, "BadRequest", text)
        if name == "list_keys":
            return ok(both(account.shown_keys(self.accounts.clock.now())))
        self.accounts.regenerate(account, _slot(request))
        return ok(both(account.keys))

    def _check_scope(self, subscription: str, group: str = "") -> None:
        if subscription not in self.subscriptions:
            text = f"The subscription '{subscription}' could not be found."
            raise Refused(404, "SubscriptionNotFound", text)
        if group and (subscription, group) not in self.groups:
            text = f"Resource group '{group}' could not be found."
            raise Refused(404, "ResourceGroupNotFound", text)
        if subscription in self.unregistered:
            text = (
                "The subscription is not registered to use namespace 'Microsoft.CognitiveServices'."
            )
            raise Refused(409, "MissingSubscriptionRegistration", text)


def _nothing(request: Request, principal: Principal) -> Response:
    raise no_route(unquote(request.path))


def _check_api_version(request: Request) -> None:
    if not API_VERSION.fullmatch(request.query.get("api-version", "")):
        text = "The api-version query parameter (?api-version=) is required."
        raise Refused(400, "MissingApiVersionParameter", text)


def _start(request: Request) -> int:
    """Where a page begins, from the link's opaque token; clients may write its name either way."""
    token = next((v for name, v in request.query.items() if name.lower() == "$skiptoken"), "")
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise Refused(400, "InvalidSkipToken", "The skip token is not valid.") from None


def _slot(request: Request) -> str:
    """The key's name, with case; a wrong one is a bad request."""
    try:
        name = json.loads(request.body or b"")["keyName"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "InvalidRequestContent", "The request content was invalid.") from None
    if name not in SLOTS:
        text = f"The key name '{name}' is invalid. Valid values are 'Key1' and 'Key2'."
        raise Refused(400, "BadRequest", text)
    return str(name)


def _check_right(principal: Principal, action: str, scope: str, otherwise: bool = False) -> None:
    if otherwise or principal.may(action, scope):
        return
    raise Refused(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )
