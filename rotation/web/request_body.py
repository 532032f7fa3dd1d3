"""Parses request bodies; every invalid field is reported at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from ..domain import durations
from ..domain.model import AccountId, TargetId
from ..domain.record import Leaked
from ..domain.redaction import looks_like_key, redact
from ..service.requests import RotationRequest

MAX_BODY = 8 * 1024

MAX_REASON = 200

MAX_KEY = 100

MAX_OVERLAP = timedelta(days=7)

_FIELDS = {
    "vault",
    "secret",
    "account",
    "all",
    "confirm",
    "reason",
    "leaked",
    "overlap",
    "dry_run",
}


class BadRequest(ValueError):
    """What is wrong with a request, one sentence per field."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def parse(
    body: bytes, headers: Mapping[str, str], vaults: tuple[str, ...], requester: str
) -> RotationRequest:
    """Raises BadRequest with every problem."""
    fields = _object(body)
    reader = _Reader(fields, vaults)
    secret = reader.secret()
    request = RotationRequest(
        reason=reader.reason(),
        requester=requester,
        secret=secret if secret and secret.name else None,
        account=reader.account(),
        vault=secret.vault if secret and not secret.name else None,
        everything=reader.flag("all"),
        confirm=reader.number("confirm"),
        dry_run=reader.flag("dry_run"),
        leaked=reader.leaked(),
        overlap=reader.overlap(),
        idempotency_key=_idempotency_key(headers, reader.problems),
    )
    named = (request.secret, request.account, request.vault, request.everything or None)
    if sum(one is not None for one in named) != 1 and not reader.problems:
        reader.problems.append('name vault and secret, or account, or vault, or "all": true')
    if request.overlap is not None and not request.is_emergency:
        reader.problems.append("overlap: only an emergency (leaked) may shorten the overlap")
    if request.everything and request.confirm is None and not request.dry_run:
        reader.problems.append("confirm: write the number of accounts that a dry_run reports")
    if reader.problems:
        raise BadRequest(reader.problems)
    return request


def stated(text: str) -> str:
    """A reason that came in a query. Raises BadRequest."""
    reader = _Reader({"reason": text}, ())
    found = reader.reason()
    if reader.problems:
        raise BadRequest(reader.problems)
    return found


def reason(body: bytes) -> tuple[str, bool]:
    """The reason, and whether it is a dry run: for the answer to a blocked operation.

    Raises BadRequest.
    """
    reader = _Reader(_object(body), (), {"reason", "dry_run"})
    dry = reader.flag("dry_run")
    found = reader.reason()
    if reader.problems:
        raise BadRequest(reader.problems)
    return found, dry


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
    def __init__(
        self,
        fields: Mapping[str, Any],
        vaults: tuple[str, ...],
        known: Iterable[str] = _FIELDS,
    ) -> None:
        self._fields = fields
        self._vaults = vaults
        names = ", ".join(sorted(known))
        unknown = sorted(set(map(str, fields)) - set(known))
        self.problems = [f"{redact(name[:40])}: unknown; known are {names}" for name in unknown]

    def _text(self, name: str) -> str:
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problems.append(f"{name}: write a string")
            return ""
        return value.strip()

    def flag(self, name: str) -> bool:
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            self.problems.append(f"{name}: write true or false")
            return False
        return value

    def number(self, name: str) -> int | None:
        value = self._fields.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            self.problems.append(f"{name}: write a number")
            return None
        return value

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
        if "secret" in self._fields and not _is_name(secret):
            self.problems.append("secret: write the secret's name")
        return TargetId(url or "", secret)

    def account(self) -> AccountId | None:
        text = self._text("account")
        try:
            return AccountId.parse(text) if text else None
        except ValueError as exc:
            self.problems.append(f"account: {redact(str(exc))}")
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
            self.problems.append(f"overlap: {redact(str(exc))}")
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


def _is_name(text: str) -> bool:
    """Key Vault, "Object identifiers": 1 to 127 letters, digits and hyphens."""
    return len(text) <= 127 and text.isascii() and text.replace("-", "").isalnum()
