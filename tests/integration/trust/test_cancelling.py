"""A cancellation that was confirmed is never followed by a regenerate."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from emulator.azure import Azure
from rotation.domain.emergency import Verdict, ended
from rotation.domain.operation import Phase
from rotation.domain.record import Record
from rotation.domain.request import Leaked
from rotation.engine.emergencies import PREFIX
from tests.integration.wire.product import Product

from .estate import DAY, estate, live, serving
from .leaking import MINUTE, RESPONDER, leak, leaked_of, minutes, report, send, settled, the, works

Write = Callable[[str, bytes, str | None, str], Awaitable[str]]


def before_the_intent(p: Product, act: Callable[[], Awaitable[None]], *, document: bool) -> None:
    """Act once, when a regenerate is about to be stored in the document or the record."""
    store = p.triggers.journal._store
    write: Write = store.write
    acted = False

    async def write_later(name: str, body: bytes, etag: str | None, index: str = "") -> str:
        nonlocal acted
        intent = name.startswith(PREFIX) == document and json.loads(body).get("intent")
        if intent and not acted:
            acted = True
            await act()
        return await write(name, body, etag, index)

    store.write = write_later  # type: ignore[method-assign]


def cancelling_before(p: Product, asked: str, *, document: bool) -> list[int]:
    """Cancel at that moment, and return a list that receives the response's status."""
    answers: list[int] = []

    async def cancel() -> None:
        answer = await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
        answers.append(answer.status)

    before_the_intent(p, cancel, document=document)
    return answers


def changed(azure: Azure, before: dict[str, str]) -> bool:
    return dict(azure.account("aoai-demo").keys) != before


@pytest.mark.parametrize("document", [True, False])
@pytest.mark.parametrize("record", ["kept", "lost"])
async def test_a_confirmed_cancellation_is_never_followed_by_a_regenerate(
    p: Product, tmp_path: Path, record: str, document: bool
) -> None:
    azure = p.azure
    before = dict(azure.account("aoai-demo").keys)
    asked = await report(p)
    if record == "lost":
        settled(tmp_path, p).unlink()
    answers = cancelling_before(p, asked, document=document)
    await minutes(p, 10)
    found = await the(p, asked)
    assert answers in ([200], [409]), "the moment came"
    cancelled = answers == [200]
    assert (found.verdict is Verdict.CANCELLED) == cancelled
    assert changed(azure, before) != cancelled


async def test_an_operation_that_began_while_it_was_cancelled_ends(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await report(p, overlap=timedelta(hours=1))
    await p.run(5 * MINUTE)
    assert (await p.record()).phase is Phase.OVERLAP
    now = azure.clock.now()
    await p.triggers.emergencies.amend(
        asked, lambda e: ended(e, Verdict.CANCELLED, now, "cancelled by alice: not ours")
    )
    await live(p, timedelta(hours=2))
    record = await p.record()
    assert works(azure, leaked)
    assert record.phase is Phase.IDLE
    assert "cancelled by alice" in str(record.history[-1].outcome)


async def test_it_is_too_late_once_a_regenerate_was_decided(p: Product, tmp_path: Path) -> None:
    """Even if the record that says so was lost."""
    azure = p.azure
    azure.account("aoai-demo").old_key_lag = timedelta(minutes=30)
    asked = await report(p)
    await p.run(MINUTE)
    settled(tmp_path, p).unlink()
    answer = await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
    found = await the(p, asked)
    assert answer.status == 409
    assert json.loads(answer.body)["code"] == "TooLate"
    assert found.is_open


async def test_a_regenerate_that_was_sent_while_the_record_was_read_refuses_a_cancellation(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, 10 * DAY)
        asked = (await p.service.commands.request(leak(p, Leaked.NONE))).id
        seen: list[Record | None] = []

        async def look() -> None:
            seen.append(await p.service.queries.record(asked))

        before_the_intent(p, look, document=False)
        await p.visit()
        p.service.queries.record = AsyncMock(return_value=seen[0])  # type: ignore[method-assign]
        answer = await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
    assert seen[0] is not None
    assert seen[0].intent is None
    assert answer.status == 409


async def test_a_waiting_rotation_that_is_cancelled_keeps_its_id_and_reason(p: Product) -> None:
    azure = p.azure
    before = dict(azure.account("aoai-demo").keys)
    asked = (await p.service.commands.request(leak(p, Leaked.NONE))).id
    answers = [await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked) for _ in "ab"]
    await live(p, DAY)
    found = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
    assert [json.loads(a.body)["state"] for a in answers] == ["cancelled", "cancelled"]
    body = json.loads(found.body)
    assert (body["state"], body["reason"], body["requester"]) == ("cancelled", "a leak", "alice")
    assert "cancelled by alice: no longer wanted" in body["outcome"]
    assert not changed(azure, before)


async def test_a_confirmed_abandonment_stores_no_further_regenerate(tmp_path: Path) -> None:
    """The account has no secret, so that its record is first written with the regenerate."""
    azure = estate(lives=80 * DAY)
    azure.identity.principals[0].assign("Key rotator", azure.add_account("quiet").id)
    before = dict(azure.account("quiet").keys)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY)
        asked = await report(p, account=p.account("quiet"))
        (tmp_path / f"{p.account('quiet').slug}.json").unlink()

        async def abandon() -> None:
            body = {"reason": "a false alarm"}
            await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer="abandon")

        before_the_intent(p, abandon, document=False)
        await minutes(p, 10)
        found, record = await the(p, asked), await p.record("quiet")
    assert found.verdict is Verdict.ABANDONED
    assert record.phase is Phase.IDLE
    assert azure.account("quiet").keys == before
