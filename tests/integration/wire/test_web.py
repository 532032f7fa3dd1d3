"""The HTTP API on the whole product: what it answers, and that no answer holds a key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.adapters.file_store import FileStore
from rotation.domain.document import Document

from .api import Api
from .product import VAULT, playground, product


@pytest.fixture
def azure() -> Azure:
    return playground()


@pytest.fixture
async def api(azure: Azure, tmp_path: Path) -> AsyncIterator[Api]:
    async with product(azure, str(tmp_path / "journal"), ROTATION_PATIENCE="PT10M") as p:
        yield Api(p, tmp_path / "answers.txt")


SECRET = {"vault": "kv-demo", "secret": "ai-key"}


async def test_a_request_is_accepted_followed_and_ends(azure: Azure, api: Api) -> None:
    leaked = azure.secret("kv-demo", "ai-key").current.value
    status, accepted = await api.post(**SECRET, leaked="key1", reason="in a chat")
    assert status == 202
    status, waiting = await api.get(accepted["id"])
    assert (status, waiting["state"]) == (200, "waiting")
    await api.product.run(timedelta(minutes=10))
    _, ended = await api.get(accepted["id"])
    assert ended["state"] == "ended"
    assert ended["outcome"] == "the old key is refused"
    assert ended["purpose"] == "emergency"
    assert ended["audit"][-1]["what"].startswith("ended")
    assert azure.accounts.accepted(leaked) is None


async def test_a_request_reads_its_secret_and_its_record_once(
    azure: Azure, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = FileStore.read

    async def counted(store: FileStore, name: str) -> Document | None:
        reads.append(name)
        return await read(store, name)

    await api.post(**SECRET, reason="the bindings are read once by a process", dry_run=True)
    monkeypatch.setattr(FileStore, "read", counted)
    before = len(azure.calls)
    status, _ = await api.post(**SECRET, reason="r")
    assert status == 202
    answered = [call.operation for call in azure.calls[before:] if call.status == 200]
    assert answered == ["keyvault.get_secret"]
    assert reads == [api.product.account().slug]


async def test_a_running_rotation_says_what_it_waits_for_and_until_when(api: Api) -> None:
    _, accepted = await api.post(account=str(api.product.account()), reason="by account")
    await api.product.run(timedelta(minutes=10))
    _, running = await api.get(accepted["id"])
    assert (running["state"], running["phase"]) == ("running", "overlap")
    assert "waiting for consumers" in running["waitingFor"]
    assert running["waitingUntil"] > running["startedAt"]


async def test_an_idempotency_key_makes_a_repeat_the_same_operation(api: Api) -> None:
    _, first = await api.post(key="k-1", **SECRET, leaked="unknown", reason="r")
    await api.product.run(timedelta(minutes=1))
    _, again = await api.post(key="k-1", **SECRET, leaked="unknown", reason="r")
    assert first["id"] == again["id"]


async def test_errors_are_problem_details(api: Api) -> None:
    status, problem = await api.post(**SECRET)
    assert (status, problem["status"]) == (400, 400)
    assert "reason" in problem["detail"]
    status, problem = await api.post(vault="kv-demo", secret="nothing", reason="r")
    assert status == 404
    assert "ProviderAddress" in problem["detail"]
    for unknown in ("x", "0123456789abcdef-12", "../../etc", "0123456789abcdef-", ""):
        status, _ = await api.get(unknown)
        assert status == 404


async def test_a_request_behind_a_resumed_operation_waits_and_is_not_blocked(
    azure: Azure, api: Api
) -> None:
    azure.account("aoai-demo").new_key_delay = timedelta(minutes=45)
    _, first = await api.post(**SECRET, reason="r")
    await api.product.run(timedelta(minutes=30))
    _, second = await api.post(**SECRET, reason="a leak", leaked="unknown")
    assert (await api.get(second["id"]))[1]["state"] == "blocked"
    await api.answer(first["id"], "resume", reason="it works now")
    _, behind = await api.get(second["id"])
    assert behind["state"] == "waiting"
    assert behind["waitingFor"] == "resume, requested by function key"


async def test_a_blocked_operation_is_resumed_or_abandoned(azure: Azure, api: Api) -> None:
    azure.account("aoai-demo").new_key_delay = timedelta(minutes=45)
    _, accepted = await api.post(**SECRET, reason="r")
    await api.product.run(timedelta(minutes=30))
    _, blocked = await api.get(accepted["id"])
    assert blocked["state"] == "blocked"
    assert blocked["trouble"]["code"] == "new-key-not-proven"
    assert "resume or abandon" in blocked["trouble"]["remedy"]
    assert (await api.answer(accepted["id"], "resume"))[0] == 400
    assert (await api.answer(accepted["id"], "explode", reason="r"))[0] == 404
    azure.advance(timedelta(minutes=30))
    status, _ = await api.answer(accepted["id"], "resume", reason="it works now")
    assert status == 202
    _, answered = await api.get(accepted["id"])
    assert answered["state"] == "running", "a follower is not told that it stopped"
    assert answered["waitingFor"] == "resume, requested by function key"
    await api.product.run(timedelta(minutes=10))
    _, resumed = await api.get(accepted["id"])
    assert (resumed["state"], resumed["phase"]) == ("running", "overlap")
    status, _ = await api.answer(accepted["id"], "abandon", reason="changed my mind")
    assert status == 202
    await api.product.run(timedelta(minutes=1))
    _, ended = await api.get(accepted["id"])
    assert ended["outcome"] == "abandoned by function key: changed my mind"
    assert len(azure.account("aoai-demo").history) == 2, "both keys are left as they are"


async def test_a_failing_service_returns_a_503_that_suggests_a_retry(
    azure: Azure, api: Api
) -> None:
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=500))
    status, problem = await api.post(**SECRET, reason="r")
    assert status == 503
    assert problem["title"] == "Try again"


async def test_a_request_that_adds_nothing_names_the_rotation_in_progress(api: Api) -> None:
    _, first = await api.post(**SECRET, reason="r")
    status, problem = await api.post(**SECRET, reason="again")
    assert (status, problem["code"]) == (409, "UnderWay")
    assert problem["rotation"] == {"id": first["id"], "status": first["status"]}
    await api.product.run(timedelta(minutes=5))
    status, problem = await api.post(**SECRET, reason="again")
    assert (status, problem["rotation"]["id"]) == (409, first["id"])
    assert len(api.product.azure.account("aoai-demo").history) == 2, "all were one rotation"


async def test_an_emergency_escalates_the_rotation_in_progress(azure: Azure, api: Api) -> None:
    _, scheduled = await api.post(**SECRET, reason="r")
    await api.product.run(timedelta(minutes=10))
    leaked = azure.accounts.by_id[str(api.product.account()).lower()].keys["Key1"]
    status, emergency = await api.post(**SECRET, leaked="key1", reason="in a chat")
    assert status == 202
    await api.product.run(timedelta(minutes=10))
    assert azure.accounts.accepted(leaked) is None
    _, ended = await api.get(scheduled["id"])
    assert (ended["state"], ended["purpose"]) == ("ended", "emergency")
    _, same = await api.get(emergency["id"])
    assert same["id"] == ended["id"]


async def test_a_dry_run_says_what_would_happen_and_does_nothing(azure: Azure, api: Api) -> None:
    before = dict(azure.account("aoai-demo").keys)
    status, found = await api.post(**SECRET, leaked="key1", reason="r", dry_run=True)
    assert (status, found["accounts"], found["secrets"]) == (200, 1, 1)
    (would,) = found["would"]
    assert would["secrets"] == ["ai-key"]
    assert any("Publish Key2 to ai-key" in effect for effect in would["effects"])
    assert any("No overlap" in effect for effect in would["effects"])
    assert any("Regenerate Key1" in effect for effect in would["effects"])
    await api.product.run(timedelta(minutes=5))
    assert azure.account("aoai-demo").keys == before
    assert (await api.product.record()).requests == ()


async def test_rotating_everything_needs_the_number_that_a_dry_run_reports(api: Api) -> None:
    everything: dict[str, Any] = {
        "all": True,
        "reason": "the vault's log was public",
        "leaked": "unknown",
    }
    status, problem = await api.post(**everything)
    assert status == 400
    assert "dry_run" in problem["detail"]
    _, found = await api.post(**everything, dry_run=True)
    assert found["accounts"] == 1
    status, problem = await api.post(**everything, confirm=7)
    assert (status, problem["role"]) == (403, "Rotation.Emergency"), (
        "a function key is never enough"
    )


async def test_a_whole_vault_is_rotated_account_by_account(azure: Azure, api: Api) -> None:
    other = azure.add_account("other")
    azure.identity.principals[0].assign("Key rotator", other.id)
    azure.add_secret(
        "kv-demo",
        "other-key",
        publishes=("other", "Key1"),
        tags={"ProviderAddress": other.id, "ValidityPeriodDays": "90"},
        expires=azure.clock.now() + timedelta(days=80),
    )
    status, found = await api.post(key="b-1", vault="kv-demo", reason="a new owner")
    assert (status, found["accounts"], found["failed"]) == (202, 2, [])
    _, again = await api.post(key="b-1", vault="kv-demo", reason="a new owner")
    repeated = [{**one, "repeated": True} for one in found["rotations"]]
    assert again["rotations"] == repeated
    _, listed = await api.call("list_rotations", query={"batch": found["batch"]})
    assert {one["id"] for one in listed["rotations"]} == {one["id"] for one in found["rotations"]}
    await api.product.run(timedelta(minutes=10))
    _, listed = await api.call("list_rotations", query={"state": "running"})
    assert [one["phase"] for one in listed["rotations"]] == ["overlap", "overlap"]


async def test_an_operation_that_has_not_changed_anything_can_be_cancelled(
    azure: Azure, api: Api
) -> None:
    later = azure.clock.now() + timedelta(days=80)
    azure.secret("kv-demo", "ai-key").current.exp = int(later.timestamp())
    _, waiting = await api.post(**SECRET, reason="r")
    status, found = await api.call("cancel_rotation", params={"id": waiting["id"]})
    assert (status, found["state"]) == (200, "cancelled")
    await api.product.run(timedelta(minutes=1))
    assert len(azure.account("aoai-demo").history) == 1, "no key was regenerated"
    _, running = await api.post(**SECRET, reason="r")
    await api.product.run(timedelta(minutes=1))
    status, problem = await api.call("cancel_rotation", params={"id": running["id"]})
    assert (status, problem["code"]) == (409, "TooLate")
    assert "pause" in problem["detail"]


async def test_pausing_a_secret_holds_scheduled_rotations_back(azure: Azure, api: Api) -> None:
    hold = {"vault": "kv-demo", "secret": "ai-key", "hold": "pause"}
    reason = json.dumps({"reason": "a freeze"}).encode()
    status, found = await api.call("hold_secret", params=hold, body=reason)
    assert (status, found["paused"]) == (200, True)
    shown = azure.secret("kv-demo", "ai-key").current.tags or {}
    assert (shown["RotationPaused"], shown["team"]) == ("true", "blue")
    await api.product.visit()
    _, fleet = await api.call("list_secrets")
    assert [row["state"] for row in fleet["secrets"]] == ["paused"]
    assert "RotationPaused" in fleet["secrets"][0]["why"]
    await api.call("hold_secret", params=hold | {"hold": "resume"}, body=reason)
    assert "RotationPaused" not in (azure.secret("kv-demo", "ai-key").current.tags or {})


async def test_one_secret_shows_what_it_waits_for_its_versions_and_its_rotations(
    azure: Azure, api: Api
) -> None:
    one = {"vault": "kv-demo", "secret": "ai-key"}
    status, before = await api.call("get_secret", params=one)
    assert status == 200
    assert [(v["slot"], v["enabled"]) for v in before["versions"]] == [(None, True)]
    assert before["now"]["effects"][0].startswith("Regenerate Key2")
    await api.product.visit()
    await api.product.run(timedelta(hours=1))
    _, during = await api.call("get_secret", params=one)
    assert (during["secret"]["state"], during["now"]["action"]) == ("overlap", "wait")
    assert during["now"]["until"] == during["secret"]["nextAt"]
    assert [v["slot"] for v in during["versions"]] == ["Key2", None]
    assert during["versions"][0]["rotation"] == during["rotations"][0]["id"]
    status, unknown = await api.call("get_secret", params=one | {"secret": "nobodys"})
    assert (status, unknown["code"]) == (404, "NotEnrolled")


async def test_the_fleet_shows_each_secret_and_the_unmanaged_resources(
    azure: Azure, api: Api
) -> None:
    nobodys = azure.add_account("nobodys")
    azure.identity.principals[0].assign("Reader", nobodys.id)
    azure.add_secret("kv-demo", "old-api-key", value="any", tags={})
    azure.add_secret("kv-demo", "connection", value="any", tags={})
    status, fleet = await api.call("list_secrets")
    assert status == 200
    (row,) = fleet["secrets"]
    assert (row["secret"], row["state"], row["accountName"]) == ("ai-key", "due", "aoai-demo")
    assert fleet["summary"]["states"] == {"due": 1}
    assert [a["accountName"] for a in fleet["unmanaged"]["accounts"]] == ["nobodys"]
    assert [s["secret"] for s in fleet["unmanaged"]["secrets"]] == ["old-api-key"]
    await api.product.visit()
    await api.product.run(timedelta(minutes=10))
    _, fleet = await api.call("list_secrets")
    (row,) = fleet["secrets"]
    assert (row["state"], row["slot"], row["phase"]) == ("overlap", "Key2", "overlap")
    assert row["next"] == "revoke the old key"
    await api.product.run(timedelta(days=2))
    _, fleet = await api.call("list_secrets")
    assert fleet["summary"]["states"] == {"healthy": 1}
    assert fleet["secrets"][0]["lastOperation"]["outcome"] == "the old key is refused"


async def test_the_timeline_shows_when_each_slot_was_published(api: Api) -> None:
    await api.product.visit()
    await api.product.run(timedelta(days=2))
    await api.post(**SECRET, reason="again")
    await api.product.run(timedelta(minutes=10))
    slug = api.product.account().slug
    status, found = await api.call("get_account", params={"slug": slug})
    assert status == 200
    (second,), (first,) = found["slots"]["Key1"], found["slots"]["Key2"]
    assert first["until"] == second["from"]
    assert second["until"] is None
    assert found["running"]["phase"] == "overlap"
    assert first["overlapUntil"] == found["running"]["overlapUntil"]
    assert (await api.call("get_account", params={"slug": "0" * 16}))[0] == 404


async def test_health_reports_the_state_of_the_sweep_and_nothing_else(
    azure: Azure, api: Api
) -> None:
    status, found = await api.call("health")
    assert (status, found) == (503, {"status": "degraded", "lastSweepAgeSeconds": None})
    await api.product.triggers.sweep()
    azure.advance(timedelta(minutes=10))
    assert await api.call("health") == (200, {"status": "ok", "lastSweepAgeSeconds": 600})
    azure.vault("kv-demo").open = False
    azure.advance(timedelta(minutes=10))
    assert (await api.product.triggers.sweep()).unread == (VAULT,)
    assert await api.call("health") == (503, {"status": "degraded", "lastSweepAgeSeconds": 0})
    azure.vault("kv-demo").open = True
    await api.product.triggers.sweep()
    assert await api.call("health") == (200, {"status": "ok", "lastSweepAgeSeconds": 0})
    azure.advance(timedelta(hours=1))
    assert (await api.call("health"))[0] == 503


async def test_a_waiting_request_returns_when_the_operation_ends(azure: Azure, api: Api) -> None:
    azure.account("aoai-demo")
    running = asyncio.create_task(_busy(api))
    status, found = await api.post(prefer="wait=20", **SECRET, leaked="key1", reason="r")
    running.cancel()
    assert (status, found["outcome"]) == (200, "the old key is refused")


async def _busy(api: Api) -> None:
    while True:
        await api.product.run(timedelta(minutes=1))
        await asyncio.sleep(0.1)


async def test_unmanaged_accounts_are_found_before_anything_is_enrolled(tmp_path: Path) -> None:
    azure = playground()
    azure.secret("kv-demo", "ai-key").current.tags = {}
    account = azure.account("aoai-demo")
    azure.identity.principals[0].assign("Reader", "/")
    bindings = f"kv-demo=/subscriptions/{account.subscription}"
    async with product(azure, str(tmp_path / "journal"), ROTATION_BINDINGS=bindings) as p:
        api = Api(p, tmp_path / "answers.txt")
        _, fleet = await api.call("list_secrets")
    assert fleet["secrets"] == []
    assert [one["account"] for one in fleet["unmanaged"]["accounts"]] == [account.id]
