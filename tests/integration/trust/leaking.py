"""Reports of leaked keys on the estate, and how the people who report them speak to the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.domain.access import Caller, Role
from rotation.domain.emergency import Emergency
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest
from rotation.web.dispatch import dispatch
from rotation.web.requests import HttpRequest
from rotation.web.responses import Response
from rotation.web.routes import ROUTES
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, bindings, tags, values

OPERATOR = Caller("bob", frozenset({Role.OPERATE}), "call")
RESPONDER = Caller("alice", frozenset({Role.EMERGENCY}), "call")
KEY = "aoai-demo-key"
MINUTE = timedelta(minutes=1)


def leaked_of(azure: Azure, slot: str = "Key1") -> str:
    return azure.account("aoai-demo").keys[slot]


def works(azure: Azure, value: str) -> bool:
    return azure.accounts.accepted(value) is not None


def latest(azure: Azure, name: str = KEY, vault: str = OWNERS) -> str:
    return values(azure, vault, name)[-1]


def leak(p: Product, leaked: Leaked = Leaked.KEY1, **more: object) -> RotationRequest:
    request = RotationRequest("a leak", "alice", account=p.account(), leaked=leaked)
    return replace(request, **more)


async def report(p: Product, leaked: Leaked = Leaked.KEY1, **more: object) -> str:
    return (await p.service.commands.request(leak(p, leaked, **more))).id


async def the(p: Product, operation_id: str) -> Emergency:
    found = await p.triggers.emergencies.find(operation_id)
    assert found is not None
    return found


async def minutes(p: Product, count: int) -> None:
    """Only the timer runs: every message of the queue is lost."""
    for _ in range(count):
        p.queue.waiting.clear()
        await p.triggers.respond()
        p.azure.advance(MINUTE)


def settled(directory: Path, p: Product) -> Path:
    """The account's record."""
    return directory / f"{p.account().slug}.json"


def two_secrets(azure: Azure, vault: str) -> None:
    """The owners' account publishes into a second secret."""
    azure.add_secret(
        vault,
        "second",
        publishes=("aoai-demo", "Key1"),
        tags=tags(azure, "aoai-demo"),
        expires=azure.clock.now() + 80 * DAY,
    )


def both_vaults(azure: Azure) -> dict[str, str]:
    own = azure.account("aoai-demo").id
    return {"ROTATION_BINDINGS": bindings(azure)["ROTATION_BINDINGS"] + f",{NEIGHBOURS}={own}"}


def refuse(azure: Azure, status: int, times: int = 10**9) -> None:
    """The neighbours' vault answers every call with an error."""
    codes = {403: "Forbidden", 404: "SecretNotFound", 503: "ServiceUnavailable", 429: "Throttled"}
    body = {"error": {"code": codes[status], "message": "no"}}
    azure.faults.add(
        Fault("answer", "keyvault.*", f"*{NEIGHBOURS}*", status=status, body=body, times=times)
    )


async def send(
    p: Product,
    method: str,
    name: str,
    caller: Caller,
    body: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **params: str,
) -> Response:
    route = next(r for r in ROUTES if r.name == name)
    data = json.dumps(body).encode() if body is not None else b""
    request = HttpRequest(method, "https://x/api", headers or {}, params, query or {}, data)
    return await dispatch(route, request, caller, lambda: p.service)


async def stuck(p: Product) -> str:
    """An emergency that waits, because key authentication is off."""
    p.azure.account("aoai-demo").disable_local_auth = True
    asked = await report(p)
    await p.run(MINUTE)
    return asked


async def every(p: Product, **more: Any) -> Any:
    body = {"all": True, "confirm": 7, "leaked": "key1", "reason": "a leak", **more}
    answer = await send(p, "POST", "request_rotation", RESPONDER, body)
    assert answer.status == 202, answer.body
    return json.loads(answer.body)
