"""Requests are accepted or refused: unknown accounts, reused keys, wrong clocks."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.core.faults import Fault
from rotation.domain.emergency import Verdict
from rotation.web.responses import Response
from tests.integration.wire.product import Product

from .estate import DAY, OWNERS, estate, live, put, serving, tags, written_by_the_service
from .leaking import RESPONDER, leaked_of, minutes, report, send, settled, the, works


async def asking(p: Product, key: str = "", **body: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"reason": "a reason", **body}
    return await send(p, "POST", "request_rotation", RESPONDER, body, headers=headers)


def ids(answer: Response) -> list[str]:
    """Return the rotations that a reply names."""
    reply = json.loads(answer.body)
    return [one["id"] for one in reply.get("rotations", [reply])]


def mistyped(p: Product) -> str:
    return str(p.account()).replace("aoai-demo", "aoai-dmeo")


class TestAnAccountThatDoesNotExist:
    async def test_is_refused_and_the_remedy_is_named(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            p.azure.identity.principals[0].assign("Key rotator", "/")
            await live(p, DAY)
            answer = await asking(p, account=mistyped(p), leaked="key1")
            left = await p.triggers.emergencies.all()
        assert answer.status == 404
        problem = json.loads(answer.body)
        assert problem["code"] == "UnknownAccount"
        assert "aoai-dmeo" in problem["title"]
        assert "keyrotation discover" in problem["detail"]
        assert not left

    @pytest.mark.parametrize("known_by", ["record", "binding", "listing"])
    async def test_is_accepted_if_something_knows_it(self, tmp_path: Path, known_by: str) -> None:
        azure = estate(lives=80 * DAY)
        azure.identity.principals[0].assign("Key rotator", "/")
        account, more = azure.account("aoai-demo").id.replace("aoai-demo", "gone"), {}
        group = account.partition("/providers/")[0]
        more["ROTATION_BINDINGS"] = f"{OWNERS}={group}"
        if known_by == "binding":
            more["ROTATION_BINDINGS"] += f",{OWNERS}={account}"
        if known_by == "listing":
            named = tags(azure, "aoai-demo") | {"ProviderAddress": account}
            put(azure, "named", "d" * 32, named, OWNERS)
        async with serving(azure, tmp_path, **more) as p:
            await live(p, DAY)
            if known_by == "record":
                record = await p.record()
                gone = type(record.account).parse(account)
                await p.triggers.journal.amend(gone, lambda r: type(r)(gone, "s", failures=1))
            answer = await asking(p, account=account, leaked="key1")
        assert answer.status == 202, answer.body

    async def test_is_accepted_if_arm_cannot_be_reached(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            p.azure.identity.principals[0].assign("Key rotator", "/")
            await live(p, DAY)
            p.azure.faults.add(Fault("answer", "arm.*", status=503, times=10**6))
            answer = await asking(p, account=mistyped(p), leaked="key1")
        assert answer.status == 202, answer.body


class TestAnIdempotencyKeyOfAnotherRequest:
    """The same caller's key with another body is 422, an emergency excepted."""

    async def test_of_a_batch(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            first = await asking(p, "k", all=True, confirm=2)
            same = await asking(p, "k", all=True, confirm=2)
            other = await asking(p, "k", vault=OWNERS)
            single = await asking(p, "k", account=str(p.account()))
        assert json.loads(first.body)["batch"] == json.loads(same.body)["batch"]
        assert [other.status, single.status] == [422, 422]
        assert json.loads(other.body)["code"] == "IdempotencyKeyReused"

    async def test_of_one_account(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            first = await asking(p, "k", account=str(p.account()))
            same = await asking(p, "k", account=str(p.account()))
            other = await asking(p, "k", account=str(p.account("acct-b")))
        assert json.loads(first.body)["id"] == json.loads(same.body)["id"]
        assert other.status == 422

    async def test_at_the_same_time(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            answers = await asyncio.gather(
                asking(p, "k", vault=OWNERS), asking(p, "k", all=True, confirm=2)
            )
        assert sorted(answer.status for answer in answers) == [202, 422]

    async def test_a_request_that_was_refused_does_not_use_up_its_key(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            refused = await asking(p, "k", all=True, confirm=7)
            accepted = await asking(p, "k", all=True, confirm=2)
        assert [refused.status, accepted.status] == [409, 202]

    @pytest.mark.parametrize("scope", ["all", "account"])
    async def test_never_refuses_an_emergency(self, tmp_path: Path, scope: str) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            body: dict[str, Any] = {"all": True, "confirm": 2}
            if scope == "account":
                body = {"account": str(p.account())}
            first = await asking(p, "k", **body)
            urgent = await asking(p, "k", **body, leaked="key1")
            other = await asking(p, "k", **body, leaked="key2")
            again = await asking(p, "k", **body, leaked="key2")
        assert [r.status for r in (first, urgent, other, again)] == [202] * 4
        assert json.loads(urgent.body) != json.loads(first.body)
        assert json.loads(other.body) != json.loads(urgent.body)
        assert ids(again) == ids(other)

    async def test_only_digests_are_stored(self, tmp_path: Path) -> None:
        async with serving(estate(lives=80 * DAY), tmp_path) as p:
            await live(p, DAY)
            await asking(p, "incident-4711", all=True, confirm=2)
            await asking(p, "incident-4711", account=str(p.account()), leaked="key1")
        assert "incident-4711" not in written_by_the_service(tmp_path)


@pytest.mark.parametrize("minutes_off", [3, -3, 600])
async def test_a_wrong_clock_does_not_delay_an_emergency(p: Product, minutes_off: int) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.skew = timedelta(minutes=minutes_off)
    asked = await report(p)
    await minutes(p, 5)
    found = await the(p, asked)
    assert found.verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_a_clock_that_is_corrected_after_the_decision_sends_nothing(
    p: Product, tmp_path: Path
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    await report(p)
    store, clock = p.triggers.journal._store, p.triggers.clock
    write = store.write

    async def corrected(name: str, body: bytes, etag: str | None, index: str = "") -> str:
        if name == p.account().slug and json.loads(body).get("intent"):
            clock.skew -= timedelta(minutes=2)
        return await write(name, body, etag, index)

    store.write = corrected  # type: ignore[method-assign]
    await p.visit()
    assert works(azure, leaked)
    store.write = write  # type: ignore[method-assign]
    await minutes(p, 5)
    assert not works(azure, leaked)
    assert settled(tmp_path, p).exists()
