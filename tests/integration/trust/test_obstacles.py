"""Nothing that only a person can change stops an emergency, and each obstacle is shown."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.domain.emergency import Verdict
from rotation.domain.request import RequestKind
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags
from .leaking import (
    KEY,
    MINUTE,
    RESPONDER,
    both_vaults,
    latest,
    leaked_of,
    minutes,
    report,
    send,
    stuck,
    the,
    two_secrets,
    works,
)


def spoil(azure: Azure, how: str) -> None:
    """Change the second secret so that only a person can put it right."""
    ours = tags(azure, "aoai-demo")
    if how == "disabled":
        azure.secret(NEIGHBOURS, "second").current.enabled = False
    elif how == "foreign":
        put(azure, "second", '{"password": "hunter2"}', ours)
    elif how == "paused":
        put(azure, "second", leaked_of(azure), ours | {"RotationPaused": "true"})
    elif how == "badly tagged":
        put(azure, "second", leaked_of(azure), ours | {"ValidityPeriodDays": "soon"})
    elif how == "untagged":
        put(azure, "second", leaked_of(azure), {})
    elif how == "without its address":
        azure.secret(NEIGHBOURS, "second").current.tags = {}
    elif how == "deleted":
        azure.vault(NEIGHBOURS).delete("second")


SPOILT = [
    *("disabled", "foreign", "paused", "badly tagged", "untagged", "without its address", "deleted")
]


@pytest.mark.parametrize("how", SPOILT)
async def test_a_secret_that_only_a_person_can_put_right(tmp_path: Path, how: str) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)
        spoil(azure, how)
        asked = await report(p)
        await p.run(2 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


@pytest.mark.parametrize("how", ["untagged", "without its address", "deleted"])
async def test_taking_the_only_secret_away_while_it_waits_does_not_stop_it(
    p: Product, how: str
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await stuck(p)
    if how == "untagged":
        put(azure, KEY, leaked, {}, OWNERS)
    elif how == "deleted":
        azure.vault(OWNERS).delete(KEY)
    else:
        azure.secret(OWNERS, KEY).current.tags = {}
    azure.account("aoai-demo").disable_local_auth = False
    await minutes(p, 70)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_a_secret_that_is_no_longer_bound(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
    leaked = leaked_of(azure)
    async with serving(azure, tmp_path) as p:
        asked = await report(p)
        await p.run(2 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert latest(azure, "second", NEIGHBOURS) == leaked, "nothing is published to it"


async def test_each_secret_that_still_shows_the_revoked_key_is_named(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        body = {"error": {"code": "Forbidden", "message": "no"}}
        azure.faults.add(
            Fault("answer", "keyvault.*", f"*{NEIGHBOURS}*", status=403, body=body, times=10**9)
        )
        asked = await report(p)
        await p.run(2 * MINUTE)
        answer = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
    audit = [entry["what"] for entry in json.loads(answer.body)["audit"]]
    assert any("still without it: second" in what for what in audit)


async def test_a_kind_without_a_probe_is_published_as_not_proven(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.faults.add(Fault("answer", "inference.*", status=404, times=10**9))
    asked = await report(p)
    await minutes(p, 90)
    found = await the(p, asked)
    answer = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
    assert found.verdict is Verdict.NOT_PROVEN
    assert latest(azure) != leaked
    assert leaked not in azure.account("aoai-demo").keys.values()
    assert json.loads(answer.body)["revoked"] is None


@pytest.mark.parametrize("status", [403, 404])
async def test_an_account_out_of_reach_sleeps_and_is_cleared_when_it_is_back(
    p: Product, status: int
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    code = {403: "AuthorizationFailed", 404: "ResourceNotFound"}[status]
    body = {"error": {"code": code, "message": "no"}}
    azure.faults.add(Fault("answer", "arm.*", status=status, body=body, times=10**9))
    asked = await report(p)
    await minutes(p, 2)
    calls = len([c for c in azure.calls if c.operation.startswith("arm.")])
    await minutes(p, 50)
    found = await the(p, asked)
    assert len([c for c in azure.calls if c.operation.startswith("arm.")]) - calls <= 4
    assert found.is_open
    assert code in found.why
    assert found.remedy
    azure.faults.clear()
    await minutes(p, 70)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_a_moved_account_is_told_how_to_revoke_its_key(p: Product) -> None:
    azure = p.azure
    body = {"error": {"code": "ResourceNotFound", "message": "no"}}
    azure.faults.add(Fault("answer", "arm.*", status=404, body=body, times=10**9))
    asked = await report(p)
    await minutes(p, 2)
    found = await the(p, asked)
    assert "moved" in found.remedy
    assert "deleted" in found.remedy
    assert "ProviderAddress" not in found.remedy


async def test_the_request_also_stands_in_the_record(p: Product) -> None:
    asked = await report(p)
    (request,) = (await p.record()).requests
    assert (request.id, request.kind) == (asked, RequestKind.EMERGENCY)


async def test_an_emergency_of_an_untagged_secret_is_not_kept_for_later(p: Product) -> None:
    """Reproduced: it fired 20 days later, when the secret was enrolled again."""
    azure = p.azure
    put(azure, KEY, leaked_of(azure), {}, OWNERS)
    body = {"vault": OWNERS, "secret": KEY, "leaked": "key1", "reason": "a leak"}
    answer = await send(p, "POST", "request_rotation", RESPONDER, body)
    asked = json.loads(answer.body)["id"]
    await p.run(5 * MINUTE)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    kept = dict(azure.account("aoai-demo").keys)
    put(azure, KEY, latest(azure), tags(azure, "aoai-demo"), OWNERS)
    await live(p, 20 * DAY, every=DAY / 4)
    assert azure.account("aoai-demo").keys == kept


async def test_two_posts_at_the_same_time_are_one_emergency(p: Product) -> None:
    one, other = await asyncio.gather(*(report(p, idempotency_key="k") for _ in range(2)))
    await p.run(5 * MINUTE)
    documents = await p.triggers.emergencies.all()
    assert one == other
    assert len(documents) == 1


async def test_without_a_record_the_first_listing_pins_and_that_is_shown(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        before = leaked_of(azure)
        azure.faults.add(Fault("answer", "arm.*", status=503, times=10**6))
        asked = await report(p)
        assert not (await the(p, asked)).pins
        azure.faults.clear()
        await minutes(p, 10)
        answer = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, before)
    audit = [entry["what"] for entry in json.loads(answer.body)["audit"]]
    assert any("the first listing of the keys" in what for what in audit)


async def test_answers_keep_the_reason_and_alert(
    p: Product, caplog: pytest.LogCaptureFixture
) -> None:
    asked = await report(p, overlap=timedelta(hours=2))
    await p.run(5 * MINUTE)
    caplog.clear()
    for answer in ("resume", "abandon"):
        body = {"reason": f"to {answer} it"}
        await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer=answer)
        await p.run(MINUTE)
    reply = await send(p, "GET", "get_rotation", RESPONDER, id=asked)
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("emergency {")]
    assert any('"resumed"' in line and "to resume it" in line for line in lines)
    assert any('"abandoned"' in line and "to abandon it" in line for line in lines)
    assert "to abandon it" in reply.body


def bulk_request(**more: object) -> dict[str, object]:
    return {"all": True, "confirm": 2, "leaked": "key1", "reason": "a leak", **more}


async def test_a_batch_is_cancelled_at_once(p: Product) -> None:
    azure = p.azure
    before = [dict(azure.account(name).keys) for name in ("aoai-demo", "acct-b")]
    answer = await send(p, "POST", "request_rotation", RESPONDER, bulk_request())
    batch = json.loads(answer.body)["batch"]
    reply = await send(
        p, "DELETE", "cancel_batch", RESPONDER, query={"batch": batch, "reason": "a drill"}
    )
    await minutes(p, 10)
    after = [dict(azure.account(name).keys) for name in ("aoai-demo", "acct-b")]
    assert reply.status == 200
    assert json.loads(reply.body)["states"] == {"cancelled": 2}
    assert before == after
