"""A found key and its account."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from rotation.domain.access import Role
from rotation.domain.keys import Key
from rotation.web.routes import ROUTES
from tests.integration.trust.estate import DAY, estate, live, serving, written_by_the_service
from tests.integration.trust.leaking import RESPONDER, send
from tests.integration.wire.product import Product


async def ask(p: Product, key: str, **more: Any) -> Any:
    response = await send(p, "POST", "identify_key", RESPONDER, {"key": key, **more})
    assert key not in response.body
    return json.loads(response.body)


def value(azure: Azure, account: str, slot: str) -> str:
    return azure.account(account).keys[slot]


async def test_a_published_and_a_spare_key_are_found_without_a_record(tmp_path: Path) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        for account, slot in (("aoai-demo", "Key1"), ("acct-b", "Key2")):
            found = await ask(p, value(p.azure, account, slot))
            assert (found["found"], found["slot"], found["use"]) == (True, slot, "valid")
            assert found["account"] == p.azure.account(account).id


async def test_the_journal_needs_one_call_to_azure(tmp_path: Path) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        await live(p, timedelta(hours=1))
        for vault in ("kv-demo", "kv-team-b"):
            p.azure.vault(vault).open = False
        found = await ask(p, value(p.azure, "acct-b", "Key2"))
        assert (found["slot"], found["phase"], found["checked"]) == ("Key2", "idle", 0)


async def test_a_key_that_was_replaced_is_recognised_without_a_slot(tmp_path: Path) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        await live(p, timedelta(hours=1))
        old = value(p.azure, "aoai-demo", "Key2")
        p.azure.accounts.regenerate(p.azure.account("aoai-demo"), "Key2")
        await live(p, timedelta(hours=1))
        found = await ask(p, old)
        assert found["account"] == p.azure.account("aoai-demo").id
        assert (found["use"], found.get("slot")) == ("former", None)


async def test_a_long_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        p.service.identification.seconds = 0.25  # one secret or account a request
        wanted, done, found = value(p.azure, "aoai-demo", "Key2"), 0, {}
        for _ in range(4):
            found = await ask(p, wanted, done=done)
            assert found["checked"] == done + 1
            done = found["checked"]
            if found["isComplete"]:
                break
        assert (found["found"], found["total"]) == (True, 4)


async def test_an_unknown_key_is_searched_for_everywhere_and_what_is_unread_is_counted(
    tmp_path: Path,
) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        found = await ask(p, "x" * 32)
        expected = {"found": False, "isComplete": True, "checked": 4, "total": 4, "unread": 0}
        assert found == expected
        p.azure.vault("kv-demo").open = False
        assert (await ask(p, "x" * 32))["unread"] == 1


async def test_only_the_emergency_role_may_ask_and_nothing_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        route = next(r for r in ROUTES if r.name == "identify_key")
        assert route.role is Role.EMERGENCY
        await ask(p, value(p.azure, "aoai-demo", "Key1"))
        written = written_by_the_service(tmp_path)
        assert value(p.azure, "aoai-demo", "Key1") not in written
        assert value(p.azure, "aoai-demo", "Key1") not in caplog.text


@pytest.mark.parametrize("body", [{}, {"key": "short"}, {"key": "has blanks " * 4}, {"key": 7}])
async def test_a_bad_key_is_refused_without_repeating_it(tmp_path: Path, body: Any) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        response = await send(p, "POST", "identify_key", RESPONDER, body)
        assert response.status == 400
        assert str(body.get("key", "key:")) not in response.body or not body


async def test_too_many_questions_are_refused_for_a_minute(tmp_path: Path) -> None:
    async with serving(estate(lives=80 * DAY), tmp_path) as p:
        for _ in range(120):
            await p.service.identification.identify(Key("x" * 32), 4)
        refused = await send(p, "POST", "identify_key", RESPONDER, {"key": "x" * 32})
        assert refused.status == 429
        p.azure.advance(timedelta(minutes=1))
        assert (await ask(p, "x" * 32))["isComplete"]
