"""Every instance shows at once what the service wrote, however old its listing is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.core.faults import Fault
from rotation.domain.access import Caller, Role
from tests.integration.wire.product import Product, product

from .estate import OWNERS, bindings
from .leaking import KEY, MINUTE, RESPONDER, latest, report, send, stuck, two_secrets

READER = Caller("carol", frozenset({Role.READ}), "call")


@pytest.fixture
async def other(p: Product, tmp_path: Path) -> AsyncIterator[Product]:
    """Another instance of the service, whose listings stay as old as its first look."""
    async with product(p.azure, str(tmp_path), **bindings(p.azure)) as q:
        q.service.queries.inventory.max_age = timedelta(days=1)
        yield q


async def fleet(p: Product) -> dict[str, Any]:
    answer = await send(p, "GET", "list_secrets", READER)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def row(p: Product, name: str = KEY) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await fleet(p))["secrets"]
    return next(one for one in rows if one["secret"] == name)


async def test_another_instance_shows_a_publish_at_once(p: Product, other: Product) -> None:
    before = await row(other)
    assert (before["slot"], before["state"]) == ("Key1", "healthy")
    await report(p)
    await p.run(5 * MINUTE)
    after, own = await row(other), await row(p)
    assert (after["slot"], after["state"]) == ("Key2", "healthy")
    shown = ("slot", "publishedAt", "expires", "nextAt", "state", "ageDays")
    assert {name: after[name] for name in shown} == {name: own[name] for name in shown}


async def test_every_instance_shows_a_pause_at_once(p: Product, other: Product) -> None:
    assert (await row(other))["state"] == "healthy"
    pause: dict[str, Any] = {"vault": OWNERS, "secret": KEY}
    body = {"reason": "a freeze"}
    for hold, state in (("pause", "paused"), ("resume", "healthy")):
        operator = Caller("bob", frozenset({Role.OPERATE}), "call")
        answer = await send(p, "POST", "hold_secret", operator, body, hold=hold, **pause)
        assert answer.status == 200, answer.body
        assert (await row(other))["state"] == state
        assert (await row(p))["state"] == state


async def test_a_vault_is_listed_again_once_for_each_change(p: Product, other: Product) -> None:
    await fleet(other)
    body = {"reason": "a freeze"}
    operator = Caller("bob", frozenset({Role.OPERATE}), "call")
    await send(p, "POST", "hold_secret", operator, body, hold="pause", vault=OWNERS, secret=KEY)
    await fleet(other)
    before = len(p.azure.calls)
    await fleet(other)
    assert not [c for c in p.azure.calls[before:] if c.operation == "keyvault.list_secrets"]


async def test_a_secret_that_kept_the_revoked_key_is_not_healthy(
    p: Product, other: Product
) -> None:
    two_secrets(p.azure, OWNERS)
    await p.triggers.sweep()
    await p.run(MINUTE)
    refused = Fault("answer", "keyvault.set_secret", "*second*", status=403, times=10**9)
    p.azure.faults.add(refused)
    await fleet(other)
    await report(p)
    await p.run(10 * MINUTE)
    assert p.azure.accounts.accepted(latest(p.azure, "second")) is None
    for instance in (p, other):
        assert (await row(instance, "second"))["state"] in ("drifted", "failing")
        assert (await row(instance))["slot"] == "Key2"
    assert (await fleet(p))["verdict"]["level"] != "ok"
    await p.run(timedelta(hours=1))
    assert (await row(p, "second"))["state"] == "failing"
    assert (await fleet(p))["verdict"]["level"] == "failing"


async def test_a_leaked_key_whose_emergency_was_abandoned_is_not_healthy(p: Product) -> None:
    asked = await stuck(p)
    body = {"reason": "not now"}
    await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer="abandon")
    p.azure.account("aoai-demo").disable_local_auth = False
    await p.run(MINUTE)
    await p.triggers.sweep()
    await p.run(MINUTE)
    assert p.azure.accounts.accepted(latest(p.azure))
    found = await row(p)
    assert found["state"] == "failing"
    assert found["why"].startswith("NOT REVOKED: the emergency was abandoned")
    assert (await fleet(p))["verdict"]["level"] == "failing"
    await report(p)
    await p.run(10 * MINUTE)
    assert (await row(p))["state"] == "healthy"


async def test_a_rotation_after_an_abandoned_emergency_clears_it(p: Product) -> None:
    asked = await stuck(p)
    await send(
        p, "POST", "answer_rotation", RESPONDER, {"reason": "no"}, id=asked, answer="abandon"
    )
    p.azure.account("aoai-demo").disable_local_auth = False
    operator = Caller("bob", frozenset({Role.OPERATE}), "call")
    body = {"vault": OWNERS, "secret": KEY, "reason": "replace both keys"}
    answer = await send(p, "POST", "request_rotation", operator, body)
    assert answer.status == 202, answer.body
    await p.run(timedelta(hours=28))
    found = await row(p)
    assert found["state"] == "healthy", found
