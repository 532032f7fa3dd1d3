"""Requests about accounts: parsing them as strictly as Resource Manager, and their paging."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from ...core.wire import Request
from ..accounts import SLOTS, Account
from .errors import ArmError
from .responses import ACCOUNTS, account_body

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


@dataclass(frozen=True)
class AccountRequest:
    """An operation's public name, the action it needs, and its scope; absent parts are empty."""

    name: str
    action: str
    subscription: str
    group: str = ""
    account: str = ""

    @property
    def scope(self) -> str:
        """The ARM id of the scope, as the caller wrote its parts."""
        scope = f"/subscriptions/{self.subscription}"
        scope += f"/resourceGroups/{self.group}" if self.group else ""
        return scope + (f"/providers/{ACCOUNTS}/{self.account}" if self.account else "")


def parse(request: Request) -> AccountRequest | None:
    """Return the operation on accounts that a request names, or None."""
    path = unquote(request.path)
    listing, account = _LIST.fullmatch(path), _ACCOUNT.fullmatch(path)
    if listing and request.method == "GET":
        name = "list_accounts_by_group" if listing[2] else "list_accounts"
        return AccountRequest(name, "read", listing[1], listing[2] or "")
    key = (request.method, (account[4] or "").lower()) if account else ("", "?")
    if account is None or key not in _OPERATIONS:
        return None
    return AccountRequest(*_OPERATIONS[key], account[1], account[2], account[3])


def slot_of(request: Request) -> str:
    """Return the key's name, which is case-sensitive. Raises ArmError if it is not one."""
    try:
        name = request.json()["keyName"]
    except (ValueError, KeyError, TypeError):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid.") from None
    if name not in SLOTS:
        text = f"The key name '{name}' is invalid. Valid values are 'Key1' and 'Key2'."
        raise ArmError(400, "BadRequest", text)
    return str(name)


def page(request: Request, accounts: list[Account], size: int) -> dict[str, Any]:
    """Return one page of accounts, with a link to the next one if there are more."""
    begin = _page_start(request)
    end = begin + size
    body: dict[str, Any] = {"value": [account_body(account) for account in accounts[begin:end]]}
    if end < len(accounts):
        base = request.url.partition("?")[0]
        version = quote(request.query.get("api-version", ""))
        token = quote(base64.urlsafe_b64encode(str(end).encode()).decode())
        body["nextLink"] = f"{base}?api-version={version}&$skiptoken={token}"
    return body


def _page_start(request: Request) -> int:
    """Return the index in the link's opaque token."""
    token = request.query.get("$skiptoken", "")
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise ArmError(400, "InvalidSkipToken", "The skip token is not valid.") from None
