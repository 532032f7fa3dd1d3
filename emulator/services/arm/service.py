"""The ARM endpoint: authentication, throttling, authorisation, routing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core import clouds
from ...core.clouds import Cloud
from ...core.identity import Identity, Principal, covers
from ...core.wire import Headers, Request, Response
from ..accounts import Account, Accounts
from ..apps import App
from ..keyvault.vault import Vault
from . import account_requests, app_requests, errors, registrations, vault_requests
from .account_requests import AccountRequest, page, slot_of
from .api_versions import check_api_version
from .app_requests import AppRequest
from .authentication import authenticate
from .errors import ArmError, check_right
from .registrations import ProviderRequest, Registrations
from .responses import (
    ACCOUNTS,
    account_body,
    error_response,
    identification,
    keys_body,
    ok,
    permissions_body,
)
from .throttling import Throttling
from .vault_requests import VaultRequest

PAGE = 100

AnyRequest = AccountRequest | VaultRequest | AppRequest | ProviderRequest


@dataclass
class Arm:
    """The control plane. Subscriptions and groups are in lower case.

    ``locks`` are the ARM ids of scopes with a read-only lock, ``definitions`` the properties of
    policies and initiatives by their ids in lower case.
    """

    identity: Identity
    accounts: Accounts
    vaults: Mapping[str, Vault] = field(default_factory=dict)
    subscriptions: set[str] = field(default_factory=set)
    groups: set[tuple[str, str]] = field(default_factory=set)
    locks: set[str] = field(default_factory=set)
    definitions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    throttling: Throttling = field(default_factory=Throttling)
    page: int = PAGE
    apps: Mapping[str, App] = field(default_factory=dict)
    registrations: Registrations = field(init=False)

    def __post_init__(self) -> None:
        self.registrations = Registrations(self.accounts.clock)

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        cloud = clouds.of_arm(request.host)
        if cloud is None:
            return None
        parsed = _parse(request)
        name = parsed.name if parsed else "unknown"
        return f"arm.{name}", lambda: self._respond(request, cloud, parsed)

    def _respond(self, request: Request, cloud: Cloud, parsed: AnyRequest | None) -> Response:
        headers, now = {}, self.accounts.clock.now()
        try:
            principal = authenticate(self.identity, request, cloud)
            if parsed is None:
                raise errors.no_route(request.path)
            check_api_version(request, parsed)
            kind = "reads" if request.method == "GET" else "writes"
            headers = self.throttling.spend(kind, principal.object_id, parsed.subscription, now)
            response = self._dispatch(request, cloud, principal, parsed)
        except ArmError as error:
            response = error_response(error)
        headers = identification(now) | headers
        return Response(response.status, Headers({**response.headers, **headers}), response.body)

    def _dispatch(
        self,
        request: Request,
        cloud: Cloud,
        principal: Principal,
        parsed: AnyRequest,
    ) -> Response:
        if parsed.name == "list_subscriptions":
            return vault_requests.list_subscriptions(principal, sorted(self.subscriptions))
        if parsed.name == "policy_definition":
            return vault_requests.policy_definition(request, principal, self.definitions)
        if parsed.subscription.lower() not in self.subscriptions:
            raise errors.no_subscription(parsed.subscription)
        if isinstance(parsed, ProviderRequest):
            return self.registrations.respond(parsed, principal)
        if isinstance(parsed, AppRequest):
            return app_requests.respond(parsed, principal, self.apps)
        if isinstance(parsed, VaultRequest):
            vaults = [v for v in self.vaults.values() if v.suffix == cloud.vaults]
            return vault_requests.respond(parsed, principal, vaults)
        if not parsed.account:
            return self._list(request, cloud, principal, parsed)
        return self._on_account(request, cloud, principal, parsed)

    def _list(
        self, request: Request, cloud: Cloud, principal: Principal, parsed: AccountRequest
    ) -> Response:
        """Return the readable accounts; a right on any one of them is enough for an empty list."""
        self._check_group(parsed)
        below = f"{parsed.scope}/".lower()
        readable = [
            account
            for account in sorted(self.accounts.by_id.values(), key=lambda a: a.id.lower())
            if account.id.lower().startswith(below)
            and account.cloud == cloud.accounts
            and principal.may(f"{ACCOUNTS}/read", account.id)
        ]
        partly = any(s.lower().startswith(below) for s, _ in principal.assignments)
        if not readable and not partly:
            check_right(principal, f"{ACCOUNTS}/read", parsed.scope)
        return ok(page(request, readable, self.page))

    def _on_account(
        self, request: Request, cloud: Cloud, principal: Principal, parsed: AccountRequest
    ) -> Response:
        if parsed.action:
            check_right(principal, f"{ACCOUNTS}/{parsed.action}", parsed.scope)
        self._check_group(parsed)
        account = self.accounts.by_id.get(parsed.scope.lower())
        if account is None or account.cloud != cloud.accounts:
            raise errors.no_resource(f"{ACCOUNTS}/{parsed.account}", parsed.group)
        if parsed.name == "get_account":
            return ok(account_body(account))
        if parsed.name == "permissions":
            return ok(permissions_body(principal, parsed.scope))
        return self._keys(request, account, parsed.name)

    def _keys(self, request: Request, account: Account, name: str) -> Response:
        self._check_writable(account)
        verb = "list" if name == "list_keys" else "regenerate"
        if account.disable_local_auth:
            text = f"Failed to {verb} key. disableLocalAuth is set to be true"
            raise ArmError(400, "BadRequest", text)
        if name == "list_keys":
            return ok(keys_body(account.shown_keys(self.accounts.clock.now())))
        self.accounts.regenerate(account, slot_of(request))
        return ok(keys_body(account.keys))

    def _check_writable(self, account: Account) -> None:
        """Raise ArmError if a lock or an unfinished deployment forbids every POST, even a read."""
        locks = self.locks | ({account.id} if account.locked else set())
        for lock in sorted(locks):
            if covers(lock, account.id):
                raise errors.locked(account.id, lock)
        if account.provisioning_state != "Succeeded":
            text = f"Account {account.name} in state {account.provisioning_state}"
            raise ArmError(409, "AccountProvisioningStateInvalid", text)

    def _check_group(self, parsed: AccountRequest) -> None:
        subscription, group = parsed.subscription.lower(), parsed.group.lower()
        if group and (subscription, group) not in self.groups:
            raise errors.no_group(parsed.group)
        if self.registrations.state(subscription) != "Registered":
            raise errors.not_registered()


def _parse(request: Request) -> AnyRequest | None:
    return (
        account_requests.parse(request)
        or vault_requests.parse(request)
        or app_requests.parse(request)
        or registrations.parse(request)
    )
