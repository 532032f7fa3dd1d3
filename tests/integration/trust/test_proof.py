"""The service says "revoked" only with proof, in spite of the data plane and the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.domain import legacy
from rotation.domain.operation import Ending, Phase
from rotation.domain.record import Record
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import Product

from .estate import DAY, OWNERS, estate, live, values
from .estate import serving as serving_with

KEY = "aoai-demo-key"
HOUR = timedelta(hours=1)
NETWORK = "Access denied due to Virtual Network/Firewall rules."


def serving(azure: Azure, directory: Path, **more: str) -> AbstractAsyncContextManager[Product]:
    return serving_with(azure, directory, **{"ROTATION_OVERLAP": "PT1H"} | more)


def both_keys_get(azure: Azure, status: int, **headers: str) -> None:
    error = {"code": str(status), "message": NETWORK if status == 403 else "for everybody"}
    fault = Fault("answer", "inference.*", status=status, times=10**6, body={"error": error})
    fault.headers = headers
    azure.faults.add(fault)


def events(azure: Azure) -> list[str]:
    received = azure.topics.received.get("topic.westeurope-1.eventgrid.azure.net", [])
    ours = [event for event in received if "aoai-demo" in event["subject"]]
    return [event["type"].removeprefix("KeyRotation.") for event in ours]


def works(azure: Azure, key: str) -> bool:
    return azure.accounts.accepted(key) is not None


async def until(p: Product, phase: Phase) -> Record:
    """Work through the queue, one message after the other, until an operation is in this phase."""
    for _ in range(400):
        record = await p.record()
        if record.phase is phase and record.operation is not None:
            return record
        if not p.queue.waiting:
            await p.triggers.sweep()
        at = min(at for at, _, _ in p.queue.waiting)
        ahead = at - p.azure.clock.now().timestamp()
        await p.run(timedelta(seconds=max(ahead, 0) + 0.001))
    raise AssertionError(f"it never came to {phase}")


async def edit(p: Product, change: Callable[[Record], Record]) -> None:
    """Write the record as a person with access to the journal would."""
    record, tag = await p.triggers.journal.load(p.account())
    await p.triggers.journal.save(change(record), tag)


@pytest.mark.parametrize("status", [200, 302, 403, 404, 429, 503])
async def test_a_data_plane_that_answers_every_key_alike_starts_no_rotation(
    tmp_path: Path, status: int
) -> None:
    azure = estate()
    before = dict(azure.account("aoai-demo").keys)
    both_keys_get(azure, status)
    async with serving(azure, tmp_path) as p:
        await live(p, 6 * HOUR)
        record = await p.record()
    assert azure.account("aoai-demo").keys == before
    assert "verified" in record.waiting or "proves nothing" in record.waiting


@pytest.mark.parametrize("status", [200, 302, 403, 404, 429, 503])
async def test_and_does_not_prove_a_revocation(tmp_path: Path, status: int) -> None:
    azure = estate()
    old = azure.account("aoai-demo").keys["Key1"]
    async with serving(azure, tmp_path, ROTATION_PROBE_SPAN="PT10M") as p:
        await until(p, Phase.PROVE)
        assert not works(azure, old)
        both_keys_get(azure, status)
        await live(p, 2 * HOUR)
        record = await p.record()
        assert record.phase is Phase.PROVE
        assert "Revoked" not in events(azure)
        assert "Failed" in events(azure), "the wait is not silent"
        azure.faults.clear()
        await live(p, HOUR)
    assert "Revoked" in events(azure)


async def test_the_wait_that_a_throttled_data_plane_asks_for_is_obeyed(tmp_path: Path) -> None:
    azure = estate()
    both_keys_get(azure, 429, **{"Retry-After": "2400"})
    async with serving(azure, tmp_path) as p:
        await p.visit()
        record = await p.record()
    assert record.waiting_until is not None
    assert record.waiting_until - azure.clock.now() >= timedelta(seconds=2390)
    assert "429" in record.waiting


async def test_a_key_that_nobody_can_try_is_not_called_revoked(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await until(p, Phase.OVERLAP)
        azure.secret(OWNERS, KEY).versions[0].enabled = False
        await until(p, Phase.PROVE)
    async with serving(azure, tmp_path) as p:
        await live(p, HOUR, every=timedelta(minutes=5))
        done = (await p.record()).history[-1]
    assert legacy.ending(done) is Ending.NOT_PROVEN
    assert (done.outcome or "").startswith("regenerated, not proven")
    assert "Revoked" not in events(azure)
    assert "NotProven" in events(azure)


async def test_with_the_accept_policy_an_unreachable_data_plane_gives_not_proven(
    tmp_path: Path,
) -> None:
    azure = estate()
    azure.account("aoai-demo").public_network = False
    old = azure.account("aoai-demo").keys["Key1"]
    async with serving(azure, tmp_path, ROTATION_PROBE="accept") as p:
        await live(p, 4 * HOUR)
        done = (await p.record()).history[-1]
    assert not works(azure, old)
    assert legacy.ending(done) is Ending.NOT_PROVEN
    assert "Revoked" not in events(azure)


def other_salt(record: Record) -> Record:
    return replace(record, salt="0" * 32)


def other_salt_and_no_memory(record: Record) -> Record:
    return replace(record, salt="0" * 32, seen={}, known_keys={}, former=())


def disables_old(azure: Azure) -> None:
    azure.secret(OWNERS, KEY).versions[0].enabled = False


def changes_nothing(azure: Azure) -> None:
    pass


@pytest.mark.parametrize("also", [changes_nothing, disables_old])
@pytest.mark.parametrize("change", [other_salt, other_salt_and_no_memory])
@pytest.mark.parametrize("phase", [Phase.OVERLAP, Phase.REVOKE, Phase.PROVE])
async def test_a_record_with_another_salt_never_ends_revoked_while_the_old_key_works(
    tmp_path: Path, phase: Phase, change: Any, also: Any
) -> None:
    azure = estate()
    old = azure.account("aoai-demo").keys["Key1"]
    assert values(azure, OWNERS, KEY) == [old]
    async with serving(azure, tmp_path) as p:
        if phase is Phase.REVOKE:
            await until(p, Phase.OVERLAP)
            await edit(p, lambda record: replace(change(record), phase=Phase.REVOKE))
        else:
            await until(p, phase)
            await edit(p, change)
        also(azure)
    async with serving(azure, tmp_path) as p:
        await live(p, 56 * HOUR, every=4 * HOUR)  # a lost record waits for two days
        record = await p.record()
    said = "Revoked" in events(azure)
    assert record.phase is Phase.IDLE
    assert said <= (not works(azure, old)), "it said revoked, but the key works"
    assert not works(azure, old) or legacy.ending(record.history[-1]) is not Ending.DONE
    assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()


async def test_a_document_of_the_last_rotation_restored_in_this_one_only_repeats_work(
    tmp_path: Path,
) -> None:
    azure = estate()
    backup: list[Record] = []
    async with serving(azure, tmp_path) as p:
        backup.append(await until(p, Phase.PROVE))
        await live(p, 9 * DAY, every=6 * HOUR)
        await p.service.commands.request(RotationRequest("due", "alice", account=p.account()))
        await until(p, Phase.OVERLAP)
        await edit(p, lambda record: backup[0])
    async with serving(azure, tmp_path) as p:
        await live(p, 8 * HOUR)
        assert (await p.record()).phase is Phase.IDLE
    *before, published = values(azure, OWNERS, KEY)
    assert works(azure, published)
    assert not any(works(azure, key) for key in set(before) - {published})
