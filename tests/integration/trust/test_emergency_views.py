"""Every view shows every emergency, even without the account's record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rotation.engine.emergencies import PREFIX
from tests.integration.wire.product import Product

from .leaking import MINUTE, RESPONDER, report, send, settled, stuck

RECORDS = ["kept", "lost", "garbage", "newer"]
UNREADABLE = ("EmergencyUnreadable", "JournalUnreadable", "JournalNewer")


def spoil(directory: Path, p: Product, what: str) -> None:
    """Lose the account's record, or make it unreadable."""
    if what == "lost":
        settled(directory, p).unlink()
    elif what != "kept":
        body = {"garbage": b"{", "newer": b'{"format": 99}'}[what]
        settled(directory, p).write_bytes(body)


def spoil_emergency(directory: Path, emergency: str, body: bytes) -> None:
    next(directory.rglob(f"{PREFIX}{emergency}*")).write_bytes(body)


async def listed(p: Product, **query: str) -> list[dict[str, Any]]:
    answer = await send(p, "GET", "list_rotations", RESPONDER, query=query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = json.loads(answer.body)["rotations"]
    return found


async def timeline(p: Product) -> dict[str, Any]:
    answer = await send(p, "GET", "get_account", RESPONDER, slug=p.account().slug)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize("record", RECORDS)
async def test_a_waiting_emergency_is_in_every_view(
    p: Product, tmp_path: Path, record: str
) -> None:
    asked = await stuck(p)
    spoil(tmp_path, p, record)
    rotations = [one for one in await listed(p) if one["id"] == asked]
    of_account = [one for one in await listed(p, account=str(p.account())) if one["id"] == asked]
    waiting = [one for one in (await timeline(p))["waiting"] if one["id"] == asked]
    for (found,) in (rotations, of_account, waiting):
        assert found["state"] == "waiting"
        assert found["revoked"] is False
        assert "key authentication" in found["notRevoked"]["reason"]


@pytest.mark.parametrize("record", RECORDS)
async def test_a_cancelled_emergency_is_in_every_view(
    p: Product, tmp_path: Path, record: str
) -> None:
    asked = await stuck(p)
    await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
    spoil(tmp_path, p, record)
    found = [one for one in await listed(p, state="cancelled") if one["id"] == asked]
    past = [one for one in (await timeline(p))["history"] if one["id"] == asked]
    for (one,) in (found, past):
        assert (one["state"], one["reason"]) == ("cancelled", "a leak")
        assert "cancelled by alice" in one["audit"][-1]["what"]


async def test_each_emergency_is_listed_once(p: Product) -> None:
    first = await report(p)
    await p.run(5 * MINUTE)
    second = await stuck(p)
    ids = [one["id"] for one in await listed(p)]
    (done,) = [one for one in await listed(p) if one["id"] == first]
    assert sorted(ids) == sorted({*ids, first, second})
    assert done["revoked"] is True


async def test_a_batch_lists_its_emergencies_although_a_record_is_lost(
    p: Product, tmp_path: Path
) -> None:
    p.azure.account("aoai-demo").disable_local_auth = True
    body = {"all": True, "confirm": 2, "leaked": "key1", "reason": "a leak"}
    answer = await send(p, "POST", "request_rotation", RESPONDER, body)
    accepted = json.loads(answer.body)
    await p.run(MINUTE)
    settled(tmp_path, p).unlink()
    found = await listed(p, batch=accepted["batch"])
    assert {one["id"] for one in found} == {one["id"] for one in accepted["rotations"]}


@pytest.mark.parametrize("body", [b"{", b'{"format": 99, "verdict": "open"}'])
async def test_a_document_that_cannot_be_read_is_a_problem_of_the_fleet(
    p: Product, tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    asked = await stuck(p)
    settled(tmp_path, p).unlink()
    (tmp_path / f"{PREFIX}{asked}.json").write_bytes(body)
    await p.triggers.respond()
    answer = await send(p, "GET", "list_secrets", RESPONDER)
    (problem,) = [one for one in json.loads(answer.body)["problems"] if asked in one]
    assert problem.startswith("NOT REVOKED: ")
    assert "report the leak again" in problem
    assert any("not-revoked" in r.getMessage() and asked in r.getMessage() for r in caplog.records)


@pytest.mark.parametrize("body", [b"{", b'{"format": 99}'])
@pytest.mark.parametrize("record", RECORDS)
async def test_an_emergency_whose_document_cannot_be_read_is_not_unknown(
    p: Product, tmp_path: Path, record: str, body: bytes
) -> None:
    asked = await stuck(p)
    spoil(tmp_path, p, record)
    spoil_emergency(tmp_path, asked, body)
    found = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
    shown = json.loads(found.body)
    if record == "kept":
        assert (found.status, shown["revoked"]) == (200, False)
        assert "report the leak again" in shown["notRevoked"]["remedy"]
        return
    assert (found.status, shown["code"]) in {(409, one) for one in UNREADABLE}
    cancelled = await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
    assert cancelled.status == 409


@pytest.mark.parametrize("answer", ["resume", "abandon"])
async def test_an_answer_to_an_emergency_that_cannot_be_read_says_so(
    p: Product, tmp_path: Path, answer: str
) -> None:
    asked = await stuck(p)
    spoil(tmp_path, p, "lost")
    spoil_emergency(tmp_path, asked, b"{")
    body = {"reason": "go on"}
    found = await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer=answer)
    assert (found.status, json.loads(found.body)["code"]) == (409, "EmergencyUnreadable")
