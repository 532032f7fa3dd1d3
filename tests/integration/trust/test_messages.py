"""Forged messages and events cause nothing for accounts that nobody enrolled."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.domain.events import Expiring
from rotation.domain.ids import AccountId, TargetId
from rotation.service import messages
from rotation.service.messages import ExpiryNotice, Visit
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, estate, put, serving, tags

VAULT = f"https://{NEIGHBOURS}.vault.azure.net"


def quiet(azure: Azure) -> AccountId:
    """Return an account that the service may manage, and that nobody enrolled."""
    account = azure.add_account("quiet")
    azure.identity.principals[0].assign("Key rotator", account.id)
    return AccountId.parse(account.id)


def event(secret: str, version: str) -> str:
    """Return an event about a secret of the neighbours' vault."""
    return json.dumps(
        {
            "id": "e-1",
            "type": "Microsoft.KeyVault.SecretExpired",
            "source": f"/subscriptions/1/providers/Microsoft.KeyVault/vaults/{NEIGHBOURS}",
            "data": {"ObjectName": secret, "ObjectType": "Secret", "Version": version},
        }
    )


async def deliver(p: Product, *texts: str) -> None:
    for text in texts:
        await p.triggers.handle_message(text)
    await p.run(DAY)


def asked_arm(azure: Azure, account: str) -> bool:
    return any(account in c.url for c in azure.calls if c.operation.startswith("arm."))


async def test_a_look_at_a_throttled_vault_is_repeated(tmp_path: Path) -> None:
    azure = estate()
    account = AccountId.parse(azure.account("acct-b").id)
    look = messages.dump(Visit(account, (TargetId(VAULT, "acct-b-key"),)))
    for operation in ("keyvault.list_secrets", "keyvault.get_secret"):
        azure.faults.add(Fault("answer", operation, status=429, times=4))
    async with serving(azure, tmp_path) as p:
        await p.triggers.handle_message(look)
        assert not asked_arm(azure, "acct-b"), "nothing is known of it yet"
        azure.faults.clear()
        await p.run(timedelta(hours=1))
    assert asked_arm(azure, "acct-b")


async def test_a_message_alone_makes_no_account_known(tmp_path: Path) -> None:
    azure = estate()
    account = quiet(azure)
    async with serving(azure, tmp_path) as p:
        forged = (Visit(account), Visit(account, (TargetId(VAULT, "acct-b-key"),)))
        await deliver(p, *map(messages.dump, forged))
    assert not asked_arm(azure, "quiet")
    assert not (tmp_path / f"{account.slug}.json").exists()


async def test_an_event_about_a_stranger_s_secret_causes_nothing(tmp_path: Path) -> None:
    azure = estate()
    account = quiet(azure)
    put(azure, "theirs", "x", tags(azure, "quiet"))
    version = azure.secret(NEIGHBOURS, "theirs").current.id
    async with serving(azure, tmp_path) as p:
        await deliver(p, *[event("theirs", version)] * 3)
        assert p.queue.put_so_far == 3, "not repeated: only the bindings could change that"
    assert not asked_arm(azure, "quiet")
    assert not (tmp_path / f"{account.slug}.json").exists()


async def test_a_notice_about_a_vault_that_is_not_configured_is_ignored(tmp_path: Path) -> None:
    azure = estate()
    notice = ExpiryNotice(Expiring("https://evil.example", "a", "1", "e", "has expired"))
    async with serving(azure, tmp_path) as p:
        await deliver(p, messages.dump(notice))
        assert p.queue.waiting == []
    assert not [c for c in azure.calls if "evil" in c.url]


@pytest.mark.parametrize("text", ["{}", '{"hello": 1}', "[" * 99_999, '{"visit": {}}'])
async def test_other_text_becomes_poison(tmp_path: Path, text: str) -> None:
    async with serving(estate(), tmp_path) as p:
        with pytest.raises(ValueError, match=r"message|Visit"):
            await p.triggers.handle_message(text)


async def test_an_account_that_a_secret_names_is_visited(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await deliver(p, messages.dump(Visit(p.account("aoai-demo"))))
    assert asked_arm(azure, "aoai-demo")


async def test_each_reason_to_ignore_events_of_a_message_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = {"id": "1", "type": "Microsoft.Storage.BlobCreated", "data": {}}
    caplog.set_level(logging.INFO, "rotation")
    async with serving(estate(), tmp_path) as p:
        await p.triggers.handle_message(json.dumps({"value": [other, other, [other]]}))
        assert p.queue.waiting == []
    reason = "events of type 'Microsoft.Storage.BlobCreated' ask for nothing"
    assert [r.getMessage() for r in caplog.records if "BlobCreated" in r.getMessage()] == [
        "event ignored " + json.dumps({"reason": reason})
    ]


async def test_a_wrapped_event_causes_the_same_look_as_a_plain_one(tmp_path: Path) -> None:
    azure = estate()
    version = azure.secret(NEIGHBOURS, "acct-b-key").current.id
    async with serving(azure, tmp_path) as p:
        await p.triggers.handle_message(event("acct-b-key", version))
        plain = [text for _, _, text in p.queue.waiting]
        p.queue.waiting.clear()
        wrapped = {"event": [[json.loads(event("acct-b-key", version))]]}
        await p.triggers.handle_message(json.dumps(wrapped))
        assert [text for _, _, text in p.queue.waiting] == plain != []


async def test_many_visits_of_a_known_account_cause_one_look_a_minute(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
        later = azure.clock.now() + DAY
        before = looks(azure)
        for number in range(50):
            forged = Visit(p.account(), wake=later if number % 2 else None, tries=number % 3)
            await p.triggers.handle_message(messages.dump(forged))
        assert looks(azure) == before + 1
        assert len(p.queue.waiting) <= 2, "they are not repeated"
        await p.run(timedelta(minutes=2))
        assert looks(azure) == before + 2, "a change since then is not missed"


async def test_a_new_request_is_looked_at_at_once(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
        await p.triggers.handle_message(messages.dump(Visit(p.account())))
        azure.advance(timedelta(seconds=5))
        before = looks(azure)
        await p.service.commands.request(RotationRequest("due", "alice", account=p.account()))
        await p.run(timedelta(seconds=1))
    assert looks(azure) > before


def looks(azure: Azure) -> int:
    calls = (c for c in azure.calls if c.operation == "arm.list_keys")
    return sum("aoai-demo" in call.url for call in calls)
