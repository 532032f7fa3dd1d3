"""A person's request over HTTP: parsed once, every bad field named at once. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from . import durations
from .mask import looks_like_key, masked
from .model import AccountId, TargetId
from .record import Leaked

MAX_BODY = 8 * 1024
MAX_REASON = 200
MAX_KEY = 100
MAX_OVERLAP = timedelta(days=7)
_FIELDS = {"vault", "secret", "account", "reason", "leaked", "overlap"}


class BadRequest(ValueError):
    """What is wrong with a request, one sentence per field."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class RotationRequest:
    """One secret or one account, why, and what has leaked."""

    reason: str
    requester: str
    secret: TargetId | None = None
    account: AccountId | None = None
    leaked: Leaked = Leaked.NONE
    overlap: timedelta | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Answer:
    """The operation's id; it may be an earlier one."""

    id: str
    account: AccountId


def parse(
    body: bytes, headers: Mapping[str, str], vaults: tuple[str, ...], requester: str
) -> RotationRequest:
    """Raises BadRequest with every problem."""
    fields = _object(body)
    reader = _Reader(fields, vaults)
    request = RotationRequest(
        reason=reader.reason(),
        requester=requester,
        secret=reader.secret(),
        account=reader.account(),
        leaked=reader.leaked(),
        overlap=reader.overlap(),
        idempotency_key=_idempotency_key(headers, reader.problems),
    )
    if (request.secret is None) == (request.account is None) and not reader.problems:
        reader.problems.append("name either vault and secret, or account")
    if request.overlap is not None and request.leaked is Leaked.NONE:
        reader.problems.append("overlap: only an emergency (leaked) may shorten the overlap")
    if reader.problems:
        raise BadRequest(reader.problems)
    return request


def reason(body: bytes) -> str:
    """The reason alone, for the answer to a blocked operation. Raises BadRequest."""
    reader = _Reader(_object(body), ())
    found = reader.reason()
    if reader.problems:
        raise BadRequest(reader.problems)
    return found


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadRequest([f"the body is larger than {MAX_BODY} bytes"])
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest(["the body is no JSON"]) from None
    if not isinstance(fields, dict):
        raise BadRequest(["the body is no JSON object"])
    return fields


def _idempotency_key(headers: Mapping[str, str], problems: list[str]) -> str | None:
    key = headers.get("Idempotency-Key") or headers.get("idempotency-key")
    if key and len(key) > MAX_KEY:
        problems.append(f"Idempotency-Key: at most {MAX_KEY} characters")
    return key or None


class _Reader:
    def __init__(self, fields: Mapping[str, Any], vaults: tuple[str, ...]) -> None:
        self._fields = fields
        self._vaults = vaults
        unknown = sorted(set(map(str, fields)) - _FIELDS)
        self.problems = [f"{masked(name[:40])}: unknown; known are {_known()}" for name in unknown]

    def _text(self, name: str) -> str:
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problems.append(f"{name}: write a string")
            return ""
        return value.strip()

    def reason(self) -> str:
        reason = self._text("reason")
        if not reason:
            self.problems.append("reason: say why, for the audit trail")
        if len(reason) > MAX_REASON or not reason.isprintable():
            self.problems.append(f"reason: at most {MAX_REASON} printable characters")
        if looks_like_key(reason):
            self.problems.append("reason: it seems to hold a key; say why without it")
        return reason

    def secret(self) -> TargetId | None:
        vault, secret = self._text("vault"), self._text("secret")
        if not vault and not secret:
            return None
        url = vault_url(vault, self._vaults)
        if url is None:
            self.problems.append("vault: not configured; configured are " + ", ".join(self._vaults))
        if not secret or len(secret) > 127 or not secret.replace("-", "").isalnum():
            self.problems.append("secret: write the secret's name")
        return TargetId(url or "", secret)

    def account(self) -> AccountId | None:
        text = self._text("account")
        try:
            return AccountId.parse(text) if text else None
        except ValueError as exc:
            self.problems.append(f"account: {masked(str(exc))}")
            return None

    def leaked(self) -> Leaked:
        text = self._text("leaked") or "none"
        try:
            return Leaked(text.lower())
        except ValueError:
            self.problems.append("leaked: write key1, key2, unknown or none")
            return Leaked.NONE

    def overlap(self) -> timedelta | None:
        text = self._text("overlap")
        try:
            overlap = durations.parse(text) if text else None
        except ValueError as exc:
            self.problems.append(f"overlap: {masked(str(exc))}")
            return None
        if overlap is not None and overlap > MAX_OVERLAP:
            self.problems.append("overlap: at most P7D")
        return overlap


def vault_url(text: str, vaults: tuple[str, ...]) -> str | None:
    """A configured vault by its URL or by its name."""
    folded = text.lower().rstrip("/")
    for url in vaults:
        if folded in (url.lower(), (urlsplit(url).hostname or "").partition(".")[0]):
            return url
    return None


def _known() -> str:
    return ", ".join(sorted(_FIELDS))
