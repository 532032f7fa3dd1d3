"""The control plane's door and what is behind it: who asks, how often, with what right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ...core.identity import TENANT, Identity, Principal
from ...core.throttle import Buckets
from ...core.wire import Headers, Request, Response
from ..accounts import Account, Accounts
from ..keyvault.vault import Vault
from . import resources
from .answers import PROVIDER, Refused, both, error, no_route, ok, permissions, shown
from .requests import Asked, asked, check_api_version, link_token, slot, start

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
PAGE = 100


@dataclass
class Arm:
    """The control plane. Everything below a subscription that does not exist is not found."""

    identity: Identity
    accounts: Accounts
    vaults: Mapping[str, Vault] = field(default_factory=dict)
    subscriptions: set[str] = field(default_factory=set)
    groups: set[tuple[str, str]] = field(default_factory=set)
    unregistered: set[str] = field(default_factory=set)
    buckets: Buckets = field(default_factory=Buckets)
    throttled: bool = True
    page: int = PAGE

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        if request.host not in HOSTS:
            return None
        found = asked(request) or resources.asked(request)
        name = found.name if found else "unknown"
        return f"arm.{name}", lambda: self._answer(request, found)

    def _answer(self, request: Request, found: Asked | resources.About | None) -> Response:
        headers: dict[str, str] = {}
        try:
            principal = self._caller(request)
            if found is None:
                raise no_route(request.path)
            check_api_version(request)
            if isinstance(found, resources.About):
                return self._about(principal, found)
            headers = self._throttle(request, principal, found)
            response = self._run(request, principal, found)
        except Refused as refusal:
            response = error(refusal)
        return Response(response.status, Headers({**response.headers, **headers}), response.body)

    def _about(self, principal: Principal, about: resources.About) -> Response:
        """What is asked of other providers than the accounts'. Raises Refused."""
        known = sorted(self.subscriptions)
        return resources.answer(about, principal, known, self.vaults, _check_right)

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

    def _throttle(self, request: Request, principal: Principal, found: Asked) -> dict[str, str]:
        """What is left of the bucket, as headers."""
        kind = "reads" if request.method == "GET" else "writes"
        scope = (principal.object_id, found.subscription.lower())
        bucket = self.buckets.of(kind, scope, self.accounts.clock.now())
        name = f"x-ms-ratelimit-remaining-subscription-{kind}"
        if self.throttled and not bucket.take(self.accounts.clock.now()):
            text = f"Number of {kind} for the subscription exceeded the limit."
            headers = {name: "0", "Retry-After": str(bucket.wait)}
            raise Refused(429, "SubscriptionRequestsThrottled", text, **headers)
        left = int(bucket.left)
        every = name.replace(kind, f"global-{kind}")
        return {name: str(left), every: str(left * 15)}

    def _run(self, request: Request, principal: Principal, found: Asked) -> Response:
        self._check_subscription(found)
        if not found.account:
            return self._list(request, principal, found)
        if found.action:
            _check_right(principal, f"{PROVIDER}/{found.action}", found.scope)
        account = self._account(found)
        if found.name == "get_account":
            return ok(shown(account))
        if found.name == "permissions":
            return ok(permissions(principal, found.scope))
        return self._keys(request, account, found.name)

    def _list(self, request: Request, principal: Principal, found: Asked) -> Response:
        """Those that the caller may read; a right on one of them lets the list answer."""
        self._check_group(found)
        below = f"{found.scope}/".lower()
        readable = [
            account
            for account in sorted(self.accounts.by_id.values(), key=lambda a: a.id.lower())
            if account.id.lower().startswith(below)
            and principal.may(f"{PROVIDER}/read", account.id)
        ]
        partly = any(s.lower().startswith(below) for s, _ in principal.assignments)
        if not readable and not partly:
            _check_right(principal, f"{PROVIDER}/read", found.scope)
        return self._page(request, readable)

    def _page(self, request: Request, found: list[Account]) -> Response:
        begin = start(request)
        end = begin + self.page
        body: dict[str, Any] = {"value": [shown(account) for account in found[begin:end]]}
        if end < len(found):
            base = request.url.partition("?")[0]
            version = quote(request.query.get("api-version", ""))
            body["nextLink"] = f"{base}?api-version={version}&$skiptoken={link_token(end)}"
        return ok(body)

    def _account(self, found: Asked) -> Account:
        self._check_group(found)
        account = self.accounts.by_id.get(found.scope.lower())
        if account is None:
            text = (
                f"The Resource '{PROVIDER}/{found.account}' under resource group '{found.group}' "
                "was not found."
            )
            raise Refused(404, "ResourceNotFound", text)
        return account

    def _keys(self, request: Request, account: Account, name: str) -> Response:
        _check_writable(account)
        verb = "list" if name == "list_keys" else "regenerate"
        if account.disable_local_auth:
            text = f"Failed to {verb} key. disableLocalAuth is set to be true"
            raise Refused(400, "BadRequest", text)
        if name == "list_keys":
            return ok(both(account.shown_keys(self.accounts.clock.now())))
        self.accounts.regenerate(account, slot(request))
        return ok(both(account.keys))

    def _check_subscription(self, found: Asked) -> None:
        if found.subscription.lower() not in self.subscriptions:
            text = f"The subscription '{found.subscription}' could not be found."
            raise Refused(404, "SubscriptionNotFound", text)

    def _check_group(self, found: Asked) -> None:
        subscription, group = found.subscription.lower(), found.group.lower()
        if group and (subscription, group) not in self.groups:
            text = f"Resource group '{found.group}' could not be found."
            raise Refused(404, "ResourceGroupNotFound", text)
        if subscription in self.unregistered:
            text = "The subscription is not registered to use namespace "
            text += "'Microsoft.CognitiveServices'."
            raise Refused(409, "MissingSubscriptionRegistration", text)


def _check_writable(account: Account) -> None:
    """A lock or an unfinished deployment forbids every POST action, even one that only reads."""
    if account.locked:
        text = (
            f"The scope '{account.id}' cannot perform write operation because following "
            f"scope(s) are locked: '{account.id}'. Please remove the lock and try again."
        )
        raise Refused(409, "ScopeLocked", text)
    if account.provisioning_state != "Succeeded":
        text = f"Account {account.name} in state {account.provisioning_state}"
        raise Refused(409, "AccountProvisioningStateInvalid", text)


def _check_right(principal: Principal, action: str, scope: str) -> None:
    if principal.may(action, scope):
        return
    raise Refused(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )
