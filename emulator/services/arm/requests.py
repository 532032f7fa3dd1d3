"""Reads requests as strictly as Resource Manager does: what is asked, which page, which key."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ...core.wire import Request
from ..accounts import SLOTS
from .answers import PROVIDER, Refused

API_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
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
class Asked:
    """An operation's public name, the action it needs, and what it is asked of ("" for none)."""

    name: str
    action: str
    subscription: str
    group: str = ""
    account: str = ""

    @property
    def scope(self) -> str:
        """The ARM id of what it is asked of, as the caller wrote its parts."""
        scope = f"/subscriptions/{self.subscription}"
        scope += f"/resourceGroups/{self.group}" if self.group else ""
        return scope + (f"/providers/{PROVIDER}/{self.account}" if self.account else "")


def asked(request: Request) -> Asked | None:
    """What a request asks for, or None where there is no such thing."""
    path = unquote(request.path)
    listing, account = _LIST.fullmatch(path), _ACCOUNT.fullmatch(path)
    if listing and request.method == "GET":
        name = "list_accounts_by_group" if listing[2] else "list_accounts"
        return Asked(name, "read", listing[1], listing[2] or "")
    key = (request.method, (account[4] or "").lower()) if account else ("", "?")
    if account is None or key not in _OPERATIONS:
        return None
    return Asked(*_OPERATIONS[key], account[1], account[2], account[3])


def check_api_version(request: Request) -> None:
    """Raises Refused where there is none."""
    if not API_VERSION.fullmatch(request.query.get("api-version", "")):
        text = "The api-version query parameter (?api-version=) is required."
        raise Refused(400, "MissingApiVersionParameter", text)


def start(request: Request) -> int:
    """Where a page begins, from the link's opaque token; clients may write its name either way."""
    token = next((v for name, v in request.query.items() if name.lower() == "$skiptoken"), "")
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise Refused(400, "InvalidSkipToken", "The skip token is not valid.") from None


def link_token(begin: int) -> str:
    """The opaque token of the page that begins there."""
    return quote(base64.urlsafe_b64encode(str(begin).encode()).decode())


def slot(request: Request) -> str:
    """The key's name, with case; a wrong one is a bad request."""
    try:
        name = json.loads(request.body or b"")["keyName"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "InvalidRequestContent", "The request content was invalid.") from None
    if name not in SLOTS:
        text = f"The key name '{name}' is invalid. Valid values are 'Key1' and 'Key2'."
        raise Refused(400, "BadRequest", text)
    return str(name)
