"""Requests and answers of people in an emergency, and who may give them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from emulator.core.faults import Fault
from rotation.domain.emergency import Verdict
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked, RequestKind
from rotation.service.replies.rotation import RotationState
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags
from .leaking import (
    MINUTE,
    OPERATOR,
    RESPONDER,
    every,
    leaked_of,
    minutes,
    report,
    send,
    settled,
    stuck,
    the,
    works,
)


async def test_not_revoked_is_shown_with_the_reason_and_the_remedy(p: Product) -> None:
    asked = await stuck(p)
    found = await p.service.queries.status(asked)
    rows, _ = await p.service.queries.rows()
    assert found is not None
    assert found.revoked is False
    assert found.not_revoked
    assert "key authentication" in found.not_revoked.reason
    assert found.not_revoked.remedy
    (row,) = [row for row in rows if row.target.vault.startswith(f"https://{OWNERS}.")]
    assert row.state == "failing"
    assert row.why.startswith("NOT REVOKED: ")


async def test_revoked_is_said_only_once_the_key_is_refused(p: Product) -> None:
    asked = await report(p)
    early = await p.service.queries.status(asked)
    await p.run(5 * MINUTE)
    late = await p.service.queries.status(asked)
    assert early is not None
    assert late is not None
    assert (early.revoked, late.revoked) == (None, True)


async def test_a_deleted_record_hides_nothing(p: Product, tmp_path: Path) -> None:
    asked = await stuck(p)
    settled(tmp_path, p).unlink()
    found = await p.service.queries.status(asked)
    assert found is not None
    assert found.revoked is False


async def test_only_the_emergency_role_may_answer_it(p: Product) -> None:
    asked = await stuck(p)
    body = {"reason": "stop it"}
    cancel = await send(p, "DELETE", "cancel_rotation", OPERATOR, id=asked)
    answers = [
        await send(p, "POST", "answer_rotation", OPERATOR, body, id=asked, answer=answer)
        for answer in ("resume", "abandon")
    ]
    found = await the(p, asked)
    assert [r.status for r in (cancel, *answers)] == [403, 403, 403]
    assert found.is_open


async def test_an_edited_record_cannot_end_it_without_the_role(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    await report(p, overlap=timedelta(hours=1))
    await p.run(5 * MINUTE)
    commands = p.service.commands
    await commands._record_answer(await p.record(), RequestKind.ABANDON, OPERATOR, "no")
    await p.run(2 * timedelta(hours=1))
    assert not works(azure, leaked)


async def test_a_cancelled_emergency_stays_visible_with_who_did_it(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await stuck(p)
    await send(p, "DELETE", "cancel_rotation", RESPONDER, id=asked)
    azure.account("aoai-demo").disable_local_auth = False
    await minutes(p, 5)
    await live(p, timedelta(hours=2))
    found = await p.service.queries.status(asked)
    document = await the(p, asked)
    assert found is not None
    assert found.state is RotationState.CANCELLED
    assert document.verdict is Verdict.CANCELLED
    assert "alice" in document.audit[-1].what
    assert works(azure, leaked), "nothing was done after that"


async def test_an_emergency_is_abandoned_although_azure_cannot_be_read(p: Product) -> None:
    azure = p.azure
    asked = await report(p, overlap=timedelta(hours=1))
    await p.run(5 * MINUTE)
    assert (await p.record()).phase is Phase.OVERLAP
    azure.faults.add(Fault("answer", "arm.*", status=403, times=10**6))
    body = {"reason": "a false alarm"}
    answered = await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer="abandon")
    await p.run(MINUTE)
    found, record = await the(p, asked), await p.record()
    assert answered.status == 202
    assert found.verdict is Verdict.ABANDONED
    assert record.phase is Phase.IDLE


async def test_resume_looks_at_once(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await stuck(p)
    azure.account("aoai-demo").disable_local_auth = False
    body = {"reason": "it is on again"}
    await send(p, "POST", "answer_rotation", RESPONDER, body, id=asked, answer="resume")
    await p.run(MINUTE)
    assert not works(azure, leaked)


async def test_two_posts_with_one_key_are_one_emergency(p: Product) -> None:
    first = await report(p, idempotency_key="k")
    again = await report(p, idempotency_key="k")
    await p.run(5 * MINUTE)
    later = await report(p, idempotency_key="k")
    stranger = await report(p, Leaked.KEY2, idempotency_key="k", requester="mallory")
    assert first == again == later
    assert stranger != first, "another caller's key"


async def test_a_vault_that_cannot_be_listed_does_not_refuse_a_bulk_emergency(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.faults.add(Fault("answer", "keyvault.*", f"*{NEIGHBOURS}*", status=403, times=10**6))
    await p.service.queries.inventory.listings(refresh=True)
    accepted = await every(p)
    await p.run(5 * MINUTE)
    theirs = azure.account("acct-b").keys["Key1"]
    assert accepted["accounts"] == 2, "the other account is remembered, and the count moved"
    assert NEIGHBOURS in accepted["notSeen"][0]
    assert not works(azure, leaked)
    assert theirs not in json.dumps(accepted)


async def test_if_nothing_can_be_read_a_bulk_emergency_waits_for_blind(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.faults.add(Fault("answer", "keyvault.*", status=403, times=10**6))
    await p.service.queries.inventory.listings(refresh=True)
    accepted = await every(p)
    await minutes(p, 10)
    asked = next(r["id"] for r in accepted["rotations"] if "aoai-demo" in r["account"])
    found = await the(p, asked)
    assert works(azure, leaked)
    assert "--blind" in found.remedy
    await every(p, blind=True)
    await minutes(p, 10)
    assert not works(azure, leaked)


async def test_an_unbound_secret_names_the_account_and_the_command(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    put(azure, "theirs", "d" * 32, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path) as p:
        await live(p, DAY)
        body = {"vault": NEIGHBOURS, "secret": "theirs", "leaked": "key1", "reason": "a leak"}
        answer = await send(p, "POST", "request_rotation", RESPONDER, body)
    assert answer.status == 409
    detail = json.loads(answer.body)["detail"]
    assert "keyrotation emergency /subscriptions/" in detail
    assert "accounts/aoai-demo --leaked key1" in detail


async def test_a_deleted_secret_still_names_its_account(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.vault(OWNERS).delete("aoai-demo-key")
    body = {"vault": OWNERS, "secret": "aoai-demo-key", "leaked": "key1", "reason": "a leak"}
    answer = await send(p, "POST", "request_rotation", RESPONDER, body)
    await p.run(5 * MINUTE)
    assert answer.status == 202
    assert not works(azure, leaked)
