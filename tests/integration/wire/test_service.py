"""Around the rotation: sweeps, the breaker, the outbox, evidence, explanations, the clock."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.keyvault.secrets.aio import SecretClient

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.decisions.actions import ActionKind
from rotation.domain.access import Caller, Role
from rotation.domain.errors import Transient, of_service
from rotation.domain.ids import TargetId
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked, RequestKind
from rotation.ports import Store
from rotation.service.requests import RotationRequest

from .product import VAULT, playground, product

TOPIC_HOST = "topic.westeurope-1.eventgrid.azure.net"


def fleet(azure: Azure, size: int) -> None:
    for number in range(size):
        account = azure.add_account(f"more-{number:02}")
        azure.identity.principals[0].assign("Key rotator", account.id)
        azure.add_secret(
            "kv-demo",
            f"more-{number:02}",
            publishes=(account.name, "Key1"),
            tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
            expires=azure.clock.now() + timedelta(days=80),
        )


async def test_a_sweep_visits_a_few_itself_and_hands_the_rest_to_the_queue(tmp_path: Path) -> None:
    azure = playground()
    fleet(azure, 30)
    async with product(azure, str(tmp_path)) as p:
        swept = await p.triggers.sweep()
        assert (swept.accounts, swept.visited, swept.enqueued) == (31, 3, 28)
        assert swept.stopped == ""
        await p.run(timedelta(minutes=5))
        listed = [c for c in azure.calls if c.operation == "arm.list_keys"]
    assert len({call.url for call in listed}) == 31


async def test_accounts_that_all_fail_are_visited_with_back_off_and_reported(
    tmp_path: Path,
) -> None:
    """Only the first three were visited before, so that three bad accounts stopped all others."""
    azure = playground()
    fleet(azure, 30)
    azure.faults.add(Fault("answer", "arm.get_account", status=403, times=1000))
    async with product(azure, str(tmp_path)) as p:
        swept = await p.triggers.sweep()
        await p.run(timedelta(minutes=14))
        assert (swept.stopped, swept.enqueued) == ("", 28)
        assert len([c for c in azure.calls if c.operation == "arm.get_account"]) == 31
        await p.run(timedelta(minutes=16))
        assert {row.state for row in (await p.service.queries.rows())[0]} == {"failing"}


async def test_a_fault_of_the_service_stops_the_sweep_until_it_is_over(tmp_path: Path) -> None:
    azure = playground()
    fleet(azure, 30)
    async with product(azure, str(tmp_path)) as p:
        journal, store = p.triggers.journal, p.triggers.journal._store
        journal._store = Down(store)
        swept = await p.triggers.sweep()
        assert (swept.visited, swept.enqueued) == (0, 0)
        assert "storage is down" in swept.stopped
        journal._store = store
        assert (await p.triggers.sweep()).stopped == ""


class Down:
    """A journal whose storage fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        raise of_service(Transient("storage is down", code="Unreachable"))


async def test_one_bad_secret_never_stops_the_others(tmp_path: Path) -> None:
    azure = playground()
    gone = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-keys"
    gone += "/providers/Microsoft.CognitiveServices/accounts/gone"
    for name, address in (("a-bad", "nonsense"), ("a-gone", gone)):
        azure.add_secret(
            "kv-demo",
            name,
            value="x",
            tags={"ProviderAddress": address, "ValidityPeriodDays": "90"},
        )
    async with product(azure, str(tmp_path)) as p:
        swept = await p.triggers.sweep()
        await p.run(timedelta(days=3))
        record = await p.record()
    assert any("a-bad" in problem for problem in swept.problems)
    assert record.history[-1].outcome == "the old key is refused"


async def test_events_that_cannot_be_published_never_hold_up_a_rotation(tmp_path: Path) -> None:
    azure = playground()
    azure.faults.add(Fault("answer", "eventgrid.publish", status=500, times=5))
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.run(timedelta(days=3))
        assert (await p.record()).phase is Phase.IDLE
        azure.faults.clear()
        await p.visit()
        record = await p.record()
    kinds = [event["type"].partition(".")[2] for event in azure.topics.received[TOPIC_HOST]]
    assert kinds == ["Admitted", "Rotated", "Revoked", "Ended"]
    assert record.outbox == ()


async def test_a_failure_is_reported_once_with_its_remedy(tmp_path: Path) -> None:
    azure = playground()
    azure.account("aoai-demo").locked = True
    async with product(azure, str(tmp_path)) as p:
        for _ in range(3):
            await p.visit()
            azure.advance(timedelta(minutes=20))
    (event,) = azure.topics.received[TOPIC_HOST]
    assert event["type"] == "KeyRotation.Failed"
    assert event["data"]["code"] == "ScopeLocked"
    assert "remove the read-only lock" in event["data"]["remedy"]


async def read(azure: Azure, name: str, principal: Any) -> None:
    async with SecretClient(
        VAULT, AsyncCredential(azure, principal), transport=AsyncEmulatorTransport(azure)
    ) as client:
        await client.get_secret(name)


async def test_with_evidence_a_reader_of_the_old_version_holds_back_the_revocation(
    tmp_path: Path,
) -> None:
    azure = playground()
    app = azure.add_principal("app").assign("Key Vault Secrets User", azure.vault("kv-demo").id)
    rotation = azure.identity.principals[0].assign("Log Analytics Data Reader", "/workspaces/w-1")
    ours = rotation.object_id
    settings = {"ROTATION_LOGS_WORKSPACE": "w-1", "ROTATION_EVIDENCE_IGNORE": ours}
    old = azure.secret("kv-demo", "ai-key").current.value
    await read(azure, "ai-key", app)
    async with product(azure, str(tmp_path), **settings) as p:
        await p.triggers.sweep()
        await p.run(timedelta(hours=30))
        record = await p.record()
        assert record.phase is Phase.OVERLAP
        assert app.object_id in record.waiting
        assert azure.accounts.accepted(old)
        await read(azure, "ai-key", app)
        await p.run(timedelta(hours=2))
        assert (await p.record()).phase is Phase.IDLE
    assert azure.accounts.accepted(old) is None


async def test_a_log_without_rows_is_not_consent_and_a_person_decides_at_the_deadline(
    tmp_path: Path,
) -> None:
    azure = playground()
    azure.identity.principals[0].assign("Log Analytics Data Reader", "/workspaces/w-1")
    azure.logs.delay = timedelta(days=365)  # the diagnostic setting was deleted, say
    old = azure.secret("kv-demo", "ai-key").current.value
    settings = {"ROTATION_LOGS_WORKSPACE": "w-1", "ROTATION_EVIDENCE_DEADLINE": "PT6H"}
    async with product(azure, str(tmp_path), **settings) as p:
        await p.triggers.sweep()
        await p.run(timedelta(hours=34))
        record = await p.record()
        assert record.blocked is not None
        assert record.blocked.code == "evidence-missing"
        assert azure.accounts.accepted(old)
        assert record.operation is not None
        answer = p.service.commands.answer
        caller = Caller("ada", frozenset({Role.OPERATE}), "call")
        await answer(record.operation.id, RequestKind.RESUME, caller, "all moved", dry_run=False)
        await p.run(timedelta(hours=2))
        done = (await p.record()).history[-1]
        assert any("without evidence" in entry.what for entry in done.audit)
    assert azure.accounts.accepted(old) is None


async def test_every_account_states_what_it_waits_for_and_until_when(tmp_path: Path) -> None:
    azure = playground()
    tags = azure.secret("kv-demo", "ai-key").current.tags
    assert tags is not None
    tags["RotationWindow"] = "Sat 01:00-02:00"
    async with product(azure, str(tmp_path)) as p:
        calls = len(azure.calls)
        _, action = await p.triggers.visits.reconciler.explain(p.account(), ())
        made = {call.operation for call in azure.calls[calls:]}
        stored = [slug async for slug in p.triggers.journal.slugs()]
    assert action.kind is ActionKind.WAIT
    assert action.reason == "outside the rotation window"
    assert action.not_before is not None
    assert action.not_before.strftime("%a %H:%M") == "Sat 01:00"
    assert not made & {"arm.regenerate_key", "keyvault.set_secret", "keyvault.update_secret"}
    assert stored == []


async def test_a_service_with_a_wrong_clock_refuses_to_act_and_reports_it(tmp_path: Path) -> None:
    azure = playground()
    azure.skew = timedelta(minutes=3)
    async with product(azure, str(tmp_path)) as p:
        outcome: Any = await p.visit()
        outcome = await p.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert "clock is off by 1" in outcome.reason
    assert not [c for c in azure.calls if c.operation == "arm.regenerate_key"]


async def test_a_small_skew_is_corrected_by_azures_own_date(tmp_path: Path) -> None:
    azure = playground()
    azure.skew = timedelta(seconds=30)
    async with product(azure, str(tmp_path)) as p:
        await p.visit()
        assert p.triggers.clock.now() >= azure.clock.now() + timedelta(seconds=29)


async def test_an_event_through_the_function_apps_own_path(tmp_path: Path) -> None:
    azure = playground()
    azure.subscribe("kv-demo", "http://hook", types=("SecretNearExpiry",))
    azure.vault("kv-demo").topic.duplicates = 1
    expires = azure.clock.now() + timedelta(days=31)
    azure.add_secret(
        "kv-demo",
        "ai-key",
        publishes=("aoai-demo", "Key1"),
        tags={"ProviderAddress": azure.account("aoai-demo").id, "ValidityPeriodDays": "90"},
        expires=expires,
    )
    async with product(azure, str(tmp_path), ROTATION_SPREAD="PT0S") as p:
        azure.advance(timedelta(days=1, minutes=1))
        for topic, delivery in azure.due_deliveries():
            (event,) = json.loads(delivery.body)
            await p.triggers.handle_event(event)
            topic.report(delivery, 202)
        await p.run(timedelta(days=3))
        (done,) = (await p.record()).history
    assert done.reason == "ai-key expires 2026-12-24"
    assert done.requester == "schedule"


async def test_a_key_with_blanks_around_it_is_published_without_them(
    tmp_path: Path,
) -> None:
    azure = playground()
    tags = azure.secret("kv-demo", "ai-key").current.tags
    key = azure.account("aoai-demo").keys["Key1"]
    expires = azure.clock.now() + timedelta(days=80)
    async with product(azure, str(tmp_path)) as p:
        for value in (key + "\n", f" {key}", f"\t{key} "):
            azure.add_secret("kv-demo", "ai-key", value=value, tags=tags, expires=expires)
            await p.visit()
            current = azure.secret("kv-demo", "ai-key").current.value
            assert azure.accounts.accepted(current), repr(value)
    assert not [c for c in azure.calls if c.operation == "arm.regenerate_key"]


async def test_a_name_in_another_case_is_the_same_secret(tmp_path: Path) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.run(timedelta(days=3))
        before = len(azure.secret("kv-demo", "ai-key").versions)
        request = RotationRequest("r", "me", TargetId(VAULT, "AI-KEY"), leaked=Leaked.UNKNOWN)
        await p.service.commands.request(request)
        await p.run(timedelta(hours=1))
        assert list((await p.record()).seen) == [f"{VAULT}/secrets/ai-key"]
    assert len(azure.secret("kv-demo", "ai-key").versions) == before + 1


async def test_an_internal_error_affects_one_account_and_quotes_nothing(
    tmp_path: Path, monkeypatch: Any
) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        key = azure.account("aoai-demo").keys["Key1"]

        async def surprise(*args: object) -> None:
            raise KeyError(key)

        monkeypatch.setattr(p.triggers.visits.reconciler.gatherer.probe, "try_random", surprise)
        outcome: Any = await p.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert outcome.failure.code == "Unexpected"
    assert "KeyError at test_service.py" in outcome.failure.message


async def test_a_leaked_key_is_revoked_even_if_there_is_no_room_for_a_tag(tmp_path: Path) -> None:
    azure = playground()
    tags = azure.secret("kv-demo", "ai-key").current.tags
    assert tags is not None
    tags.update({f"own-{number}": "x" for number in range(15 - len(tags))})
    leaked = azure.secret("kv-demo", "ai-key").current.value
    async with product(azure, str(tmp_path)) as p:
        await p.visit()
        assert "no room" in str((await p.record()).notes)
        target = TargetId(VAULT, "ai-key")
        await p.service.commands.request(RotationRequest("r", "me", target, leaked=Leaked.KEY1))
        await p.run(timedelta(minutes=30))
        assert (await p.record()).phase is Phase.IDLE
    assert azure.accounts.accepted(leaked) is None
    assert len(azure.secret("kv-demo", "ai-key").current.tags or {}) == 15


async def test_an_event_that_the_topic_refuses_does_not_hold_up_those_behind_it(
    tmp_path: Path,
) -> None:
    azure = playground()
    too_large = {"error": {"code": "PayloadTooLarge", "message": "too large"}}
    azure.faults.add(Fault("answer", "eventgrid.publish", status=413, body=too_large))
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.run(timedelta(minutes=1))
        azure.faults.add(Fault("answer", "eventgrid.publish", status=413, body=too_large))
        await p.run(timedelta(days=3))
        record = await p.record()
        kinds = [event["type"] for event in azure.topics.received[TOPIC_HOST]]
        assert "KeyRotation.Ended" in kinds
        assert record.phase is Phase.IDLE
