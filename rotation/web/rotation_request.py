"""Parses the body of ``POST /api/rotations``; every invalid field is reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from ..domain import durations
from ..domain.ids import AccountId, TargetId
from ..domain.request import Leaked
from ..service.requests import RotationRequest
from .bodies import RequestBody
from .body_reader import BodyReader

_MAX_KEY = 100

_MAX_OVERLAP = timedelta(days=7)


def parse(
    body: bytes, headers: Mapping[str, str], vaults: tuple[str, ...], requester: str
) -> RotationRequest:
    """Return the request. Raises BadRequest with every problem."""
    reader = BodyReader.from_json(body, RequestBody)
    target = _target(reader, vaults)
    request = RotationRequest(
        reason=reader.reason(),
        requester=requester,
        secret=target if target and target.name else None,
        account=reader.parse("account", AccountId.parse, None),
        vault=target.vault if target and not target.name else None,
        everything=reader.flag("all"),
        confirm=reader.number("confirm"),
        dry_run=reader.flag("dry_run"),
        leaked=reader.parse("leaked", _leaked, Leaked.NONE),
        overlap=reader.parse("overlap", _overlap, None),
        now=reader.flag("now"),
        force=reader.flag("force"),
        blind=reader.flag("blind"),
        drill=reader.flag("drill"),
        idempotency_key=_idempotency_key(headers, reader.problems),
    )
    reader.problems.extend(_contradictions(request, is_readable=not reader.problems))
    reader.check()
    return request


def find_vault(text: str, vaults: tuple[str, ...]) -> str | None:
    """Return the URL of a configured vault, given by its URL or its name."""
    folded = text.lower().rstrip("/")
    for url in vaults:
        if folded in (url.lower(), (urlsplit(url).hostname or "").partition(".")[0]):
            return url
    return None


def not_configured(vaults: tuple[str, ...]) -> str:
    """Return the problem of a vault that is not configured."""
    return "vault: not configured; the configured vaults are " + ", ".join(vaults)


def _contradictions(request: RotationRequest, *, is_readable: bool) -> list[str]:
    problems = []
    scopes = (request.secret, request.account, request.vault, request.everything or None)
    if sum(scope is not None for scope in scopes) != 1 and is_readable:
        problems.append('name either vault and secret, or account, or vault, or "all": true')
    if request.overlap is not None and not request.is_emergency:
        problems.append("overlap: allowed only in an emergency (leaked)")
    for name in ("now", "force", "blind"):
        if getattr(request, name) and not request.is_emergency:
            problems.append(f"{name}: allowed only in an emergency (leaked)")
    problems += _not_in_a_drill(request) if request.drill else []
    if request.everything and request.confirm is None and not request.dry_run:
        problems.append("confirm: required with all; use the number of accounts of a dry_run")
    return problems


def _not_in_a_drill(request: RotationRequest) -> Iterable[str]:
    """Yield what does not belong to the rehearsed leak of one key of one account."""
    if request.leaked.slot is None:
        yield "drill: only with a leaked key (key1 or key2)"
    if request.is_bulk:
        yield "drill: name a secret or an account"
    for name in ("now", "force", "blind"):
        if getattr(request, name):
            yield f"{name}: not in a drill"


def _target(reader: BodyReader, vaults: tuple[str, ...]) -> TargetId | None:
    """Return a secret, or a vault as a target without a name."""
    vault, secret = reader.text("vault"), reader.text("secret")
    if not vault and not secret:
        return None
    url = find_vault(vault, vaults)
    if url is None:
        reader.problems.append(not_configured(vaults))
    if "secret" in reader and not _is_secret_name(secret):
        reader.report("secret", "not a valid secret name")
    return TargetId(url or "", secret)


def _is_secret_name(text: str) -> bool:
    """Return whether it is a name by Key Vault's "Object identifiers"."""
    return len(text) <= 127 and text.isascii() and text.replace("-", "").isalnum()


def _leaked(text: str) -> Leaked:
    try:
        return Leaked(text.lower())
    except ValueError:
        raise ValueError("must be key1, key2, unknown or none") from None


def _overlap(text: str) -> timedelta:
    overlap = durations.parse(text)
    if overlap > _MAX_OVERLAP:
        raise ValueError("at most P7D")
    return overlap


def _idempotency_key(headers: Mapping[str, str], problems: list[str]) -> str | None:
    key = next((v for name, v in headers.items() if name.lower() == "idempotency-key"), "")
    if key and len(key) > _MAX_KEY:
        problems.append(f"Idempotency-Key: at most {_MAX_KEY} characters")
    return key or None
