"""Events: each only makes the service look, and one about a stranger not even that."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from emulator.azure import Azure
from rotation.domain.operation import Phase

from .estate import (
    DAY,
    NEIGHBOURS,
    OWNERS,
    estate,
    live,
    put,
    serving,
    tags,
    values,
    written_by_the_service,
)

KEY = "aoai-demo-key"


def regenerated(azure: Azure, account: str) -> dict[str, Any]:
    address = azure.account(account).id
    operation = "Microsoft.CognitiveServices/accounts/regenerateKey/action"
    return {
        "id": "e-1",
        "eventType": "Microsoft.Resources.ResourceActionSuccess",
        "subject": address,
        "data": {"resourceUri": address, "operationName": operation, "claims": {"name": "Alice"}},
    }


def new_version(azure: Azure, name: str = KEY) -> dict[str, Any]:
    version = azure.secret(OWNERS, name).current.id
    return {
        "id": "e-2",
        "topic": azure.vault(OWNERS).id,
        "subject": name,
        "eventType": "Microsoft.KeyVault.SecretNewVersionCreated",
        "data": {"VaultName": OWNERS, "ObjectName": name, "Version": version},
    }


async def test_a_live_key_regenerated_by_hand_is_repaired_within_seconds(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, timedelta(hours=1))
        azure.regenerate_by_hand("aoai-demo", "Key1")
        await p.triggers.handle_event(regenerated(azure, "aoai-demo"))
        assert "Alice" not in repr(p.queue.waiting)
        await p.run(timedelta(seconds=10))
    assert values(azure, OWNERS, KEY)[-1] == azure.account("aoai-demo").keys["Key1"]


async def test_a_dead_key_written_by_hand_is_repaired_within_seconds(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, timedelta(hours=1))
        azure.add_secret(OWNERS, KEY, value="d" * 32, tags=tags(azure, "aoai-demo"))
        await p.triggers.handle_event(new_version(azure))
        await p.run(timedelta(seconds=10))
    assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()


async def test_the_event_of_our_own_version_costs_one_read_of_the_journal(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await live(p, timedelta(hours=1))
        assert (await p.record()).phase is Phase.OVERLAP
        before = len(azure.calls)
        await p.triggers.handle_event(new_version(azure))
        await p.run(timedelta(seconds=10))
        assert len(azure.calls) == before


async def test_an_event_for_an_unknown_account_causes_no_call_to_arm_and_no_document(
    tmp_path: Path,
) -> None:
    azure = estate()
    azure.add_account("quiet")
    async with serving(azure, tmp_path) as p:
        await p.triggers.handle_event(regenerated(azure, "quiet"))
        await p.run(timedelta(minutes=1))
    assert not [call for call in azure.calls if "quiet" in call.url]
    assert azure.account("quiet").name not in written_by_the_service(tmp_path)


async def test_neither_event_starts_a_rotation_that_is_not_due(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, timedelta(hours=1))
        for _ in range(3):
            await p.triggers.handle_event(regenerated(azure, "aoai-demo"))
            await p.triggers.handle_event(new_version(azure))
            await p.run(timedelta(minutes=5))
    assert len(values(azure, OWNERS, KEY)) == 1
    assert not [call for call in azure.calls if call.operation == "arm.regenerate_key"]


async def test_an_event_about_a_stranger_that_names_our_account_is_ignored(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    put(azure, "theirs", "d" * 32, tags(azure, "aoai-demo"))
    event = {
        "id": "e-1",
        "topic": azure.vault(NEIGHBOURS).id,
        "subject": "theirs",
        "eventType": "Microsoft.KeyVault.SecretNearExpiry",
        "data": {
            "VaultName": NEIGHBOURS,
            "ObjectName": "theirs",
            "Version": azure.secret(NEIGHBOURS, "theirs").versions[-1].id,
        },
    }
    async with serving(azure, tmp_path) as p:
        await p.triggers.handle_event(event)
        await p.run(timedelta(minutes=1))
        assert not [text for _, _, text in p.queue.waiting if "theirs" in text]
