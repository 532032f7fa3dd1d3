"""Checks every exchange against ``contract.json``: the part of Azure that the product uses.

Checks both sides: the client's request and the emulator's response.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from .wire import Request, Response

_FILE = Path(__file__).with_name("contract.json")
# Services whose errors have another form.
_OTHER_ERRORS = ("identity.",)
# Storage speaks XML, which the contract does not describe.
_XML = ("storage.",)


class Violation(AssertionError):
    """An exchange that the contract does not allow."""


@cache
def _contract() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text())
    return loaded


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _contract()["$defs"]})


def operations() -> frozenset[str]:
    """Return the names of all operations in the contract."""
    return frozenset(_contract()["operations"])


def check(operation: str, request: Request, response: Response) -> None:
    """Raise Violation with the operation and the fault; the message never quotes a body."""
    if operation.startswith(_XML):
        return
    if response.status >= 400:
        _check_error(operation, response)
        return
    found = _contract()["operations"].get(operation)
    if found is None:
        raise Violation(f"{operation}: not in the contract")
    _check_request(operation, found, request)
    _check_response(operation, found, response)


def _check_request(operation: str, found: dict[str, Any], request: Request) -> None:
    if request.method != found["method"]:
        raise Violation(f"{operation}: {request.method} instead of {found['method']}")
    if not re.fullmatch(found["path"], request.path, re.I):
        raise Violation(f"{operation}: path {request.path}")
    missing = [name for name in found["query"] if not request.query.get(name)]
    if missing:
        raise Violation(f"{operation}: the query has no {', '.join(missing)}")
    if "body" in found:
        _check_body(f"{operation}, request", found["body"], request.body)


def _check_response(operation: str, found: dict[str, Any], response: Response) -> None:
    if str(response.status) not in found["responses"]:
        raise Violation(f"{operation}: status {response.status}")
    schema = found["responses"][str(response.status)]
    if schema is not None:
        _check_body(f"{operation}, response", schema, response.body)


def _check_error(operation: str, response: Response) -> None:
    if not operation.startswith(_OTHER_ERRORS):
        _check_body(f"{operation}, error", "error", response.body)


def _check_body(where: str, schema: str, body: bytes) -> None:
    try:
        value = json.loads(body)
    except ValueError:
        raise Violation(f"{where}: the body is not JSON") from None
    for error in _validator(schema).iter_errors(value):
        path = "/".join(map(str, error.absolute_path)) or "the body"
        raise Violation(f"{where}: {path} breaks the rule {error.validator!r}")
