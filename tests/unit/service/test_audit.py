"""The audit trail: all operations that have ended, in order, page by page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.emergency import Pin, Verdict
from rotation.domain.keys import Slot
from rotation.domain.operation import PublishedVersion, Purpose
from rotation.domain.record import Record
from rotation.service import audit
from rotation.service.replies.audit import AuditVersionReply
from tests.unit.decisions.account import ACCOUNT, NOW, rotation
from tests.unit.engine.test_gatherer import ONE, OTHER, TWO
from tests.unit.engine.test_reconciler import ASKED, LEAK

from .world import Service

HOUR = timedelta(hours=1)
PUTS = {
    str(TWO): PublishedVersion("v2", NOW + HOUR),
    str(ONE): PublishedVersion("v1", NOW),
}
DONE = rotation(id="op-1", ended_at=NOW, puts=PUTS)


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


async def ids(world: Service, **wanted: object) -> list[str]:
    page = await world.audit.page(**wanted)  # type: ignore[arg-type]
    return [one.rotation.id for one in page.records]


async def test_a_record_has_the_slots_the_fingerprints_and_the_versions(world: Service) -> None:
    await world.save(history=(DONE,))
    page = await world.audit.page()
    (found,) = page.records
    assert (found.published_slot, found.revoked_slot) == (Slot.KEY2, Slot.KEY1)
    assert (found.new_fingerprint, found.old_fingerprint) == (DONE.value, DONE.retired)
    assert found.versions == [
        AuditVersionReply(secret=str(ONE), version="v1", created=NOW),
        AuditVersionReply(secret=str(TWO), version="v2", created=NOW + HOUR),
    ]
    assert (found.leaked, page.next, page.unread) == ([], UNSET, [])


async def test_what_did_not_happen_is_missing(world: Service) -> None:
    bare = replace(DONE, puts={}, revoke=None, value=None, retired=None)
    await world.save(history=(bare,))
    (found,) = (await world.audit.page()).records
    missing = (found.published_slot, found.revoked_slot, found.new_fingerprint)
    assert {*missing, found.old_fingerprint} == {UNSET}
    assert found.versions == []


async def test_an_emergency_has_the_fingerprints_of_its_leaked_keys(world: Service) -> None:
    over = {"verdict": Verdict.REFUSED, "closed_at": NOW}
    await world.report(pins=(Pin(Slot.KEY1, "f"),), **over)
    await world.report(id=f"{ACCOUNT.slug}-2", pins=(Pin(Slot.KEY2, "g"),), **over)
    first, second = (await world.audit.page()).records
    assert (first.leaked, second.leaked) == (["f"], ["g"])
    done = replace(DONE, id=LEAK, purpose=Purpose.EMERGENCY, requests=(f"{ACCOUNT.slug}-2",))
    await world.save(history=(done,))
    (found,) = (await world.audit.page()).records
    assert found.leaked == ["f", "g"]


async def test_only_what_has_ended_is_in_it_the_oldest_first(world: Service) -> None:
    earlier = replace(DONE, id="op-0", ended_at=NOW - HOUR)
    same = replace(DONE, id="op-9")
    await world.save(history=(same, DONE, earlier), requests=(ASKED,))
    await world.report()
    assert await ids(world) == ["op-0", "op-1", "op-9"]
    assert await ids(world, since=NOW) == ["op-1", "op-9"]
    assert await ids(world, since=NOW + HOUR) == []


async def test_it_is_of_one_account_on_request(world: Service) -> None:
    await world.save(history=(DONE,))
    await world.journal.save(Record(OTHER, "salt", history=(replace(DONE, id="op-2"),)), None)
    assert await ids(world) == ["op-1", "op-2"]
    assert await ids(world, account=str(OTHER)) == ["op-2"]
    with pytest.raises(ValueError, match="account"):
        await world.audit.page(account="nonsense")


async def test_a_page_names_the_next_one(world: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    many = [replace(DONE, id=f"op-{n}", ended_at=NOW + n * HOUR) for n in range(4)]
    await world.save(history=tuple(many))
    first = await world.audit.page()
    assert [one.rotation.id for one in first.records] == ["op-0", "op-1"]
    assert first.next is not UNSET
    second = await world.audit.page(after=first.next)
    assert [one.rotation.id for one in second.records] == ["op-2", "op-3"]
    assert second.next is UNSET


async def test_documents_that_cannot_be_read_are_named(world: Service) -> None:
    await world.store.put(OTHER.slug, b"garbage")
    (why,) = (await world.audit.page()).unread
    assert OTHER.slug in why
