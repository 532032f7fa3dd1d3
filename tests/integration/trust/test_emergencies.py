"""An accepted emergency ends: the leaked value is refused, or NOT REVOKED is shown, with why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.core.faults import Fault
from rotation.domain import legacy
from rotation.domain.emergency import Verdict
from rotation.domain.operation import Ending, Phase
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.engine.emergencies import PREFIX
from rotation.engine.handover import KEPT
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values
from .leaking import (
    KEY,
    MINUTE,
    both_vaults,
    latest,
    leak,
    leaked_of,
    minutes,
    refuse,
    report,
    settled,
    stuck,
    the,
    two_secrets,
    works,
)


async def test_a_leaked_key_is_refused_and_its_document_is_closed(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await report(p)
    assert (await the(p, asked)).pins, "pinned at acceptance"
    await p.run(5 * MINUTE)
    found = await the(p, asked)
    assert found.verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


async def test_a_proof_that_waits_for_its_turn_does_not_hold_back_the_next_leaked_key(
    p: Product,
) -> None:
    azure = p.azure
    first = leaked_of(azure)
    asked = [await report(p)]
    await _in_ten_minutes(p, asked[0])
    await p.run(MINUTE)
    assert not works(azure, first)
    assert (await p.record()).phase is Phase.REVOKE, "its proof waits"
    second = leaked_of(azure, "Key2")
    asked.append(await report(p, Leaked.KEY2))
    await _in_ten_minutes(p, asked[1])
    await minutes(p, 3)
    assert not works(azure, second)
    await minutes(p, 20)
    assert {(await the(p, one)).verdict for one in asked} == {Verdict.REFUSED}
    assert works(azure, latest(azure))


async def _in_ten_minutes(p: Product, asked: str) -> None:
    """Its proof waits, as if others had been reported with it."""
    later = p.azure.clock.now() + 10 * MINUTE
    await p.triggers.emergencies.amend(asked, lambda e: replace(e, proof_at=later))


@pytest.mark.parametrize("leaked", [Leaked.KEY1, Leaked.KEY2, Leaked.UNKNOWN])
async def test_the_timer_alone_is_enough(p: Product, leaked: Leaked) -> None:
    azure = p.azure
    before = [leaked_of(azure, s) for s in ("Key1", "Key2")]
    asked = await report(p, leaked)
    await minutes(p, 20)
    found = await the(p, asked)
    assert found.verdict is Verdict.REFUSED
    gone = [works(azure, value) for value in before]
    assert gone == [leaked is Leaked.KEY2, leaked is Leaked.KEY1], "nothing else was killed"
    assert works(azure, latest(azure))


async def test_a_deleted_record_forgets_no_emergency(p: Product, tmp_path: Path) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await report(p)
    settled(tmp_path, p).unlink()
    await minutes(p, 30)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


@pytest.mark.parametrize("change", ["salt", "backup"])
async def test_a_restored_or_edited_record_does_not_end_it_with_the_key_alive(
    p: Product, tmp_path: Path, change: str
) -> None:
    """Reproduced: it ended as "Revoked" while the leaked key was accepted."""
    azure = p.azure
    backup = settled(tmp_path, p).read_bytes()
    leaked = leaked_of(azure)
    asked = await report(p, overlap=timedelta(hours=1))
    await p.run(5 * MINUTE)
    assert (await p.record()).phase is Phase.OVERLAP
    if change == "backup":
        settled(tmp_path, p).write_bytes(backup)
    else:
        await p.triggers.journal.amend(p.account(), lambda r: replace(r, salt="another"))
    await minutes(p, 120)
    found = await the(p, asked)
    assert found.verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


async def test_what_the_version_before_recorded_gets_its_document_at_the_first_visit(
    p: Product,
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = f"{p.account().slug}-0123456789ab"
    request = Request(
        asked, RequestKind.EMERGENCY, "a leak", "alice", azure.clock.now(), Leaked.KEY1
    )
    await p.triggers.journal.amend(
        p.account(), lambda r: replace(r, requests=(*r.requests, request))
    )
    await p.visit()
    await p.run(5 * MINUTE)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_a_deleted_document_forgets_no_emergency_that_waits(
    p: Product, tmp_path: Path
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await stuck(p)
    (tmp_path / f"{PREFIX}{asked}.json").unlink()
    azure.account("aoai-demo").disable_local_auth = False
    await live(p, DAY)
    assert not works(azure, leaked)


@pytest.mark.parametrize("status", [403, 404])
async def test_it_does_not_wait_for_a_secret_that_cannot_heal(tmp_path: Path, status: int) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)
        refuse(azure, status)
        asked = await report(p)
        await p.run(2 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
        assert not works(azure, leaked)
        assert works(azure, latest(azure))
        azure.faults.clear()
        await live(p, DAY)
    assert works(azure, latest(azure, "second", NEIGHBOURS)), "it is still tried"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_secret_that_can_heal_gets_some_patience(tmp_path: Path, status: int) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)
        refuse(azure, status)
        asked = await report(p)
        await minutes(p, 3)
        found = await the(p, asked)
        assert works(azure, leaked), "it waits"
        assert "second" in found.why
        assert found.remedy
        await minutes(p, 6)
        assert not works(azure, leaked), "and goes on without it"
        assert (await the(p, asked)).verdict is Verdict.REFUSED


async def test_now_skips_the_patience(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)
        refuse(azure, 503)
        await report(p, now=True)
        await p.run(MINUTE)
    assert not works(azure, leaked)


async def test_a_writer_who_writes_the_leaked_key_back_does_not_stop_it(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)

        def write_back(event: str, detail: Any) -> None:
            written = event == "secret.set" and detail[1].name == "second"
            if written and detail[2].value != leaked:
                put(azure, "second", leaked, tags(azure, "aoai-demo"))

        azure.observers.append(write_back)
        asked = await report(p)
        await p.run(10 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_an_account_in_a_failed_state_is_tried_all_the_same(p: Product) -> None:
    azure = p.azure
    azure.account("aoai-demo").provisioning_state = "Failed"
    asked = await report(p)
    before = len(azure.calls)
    await p.run(MINUTE)
    why = (await the(p, asked)).why
    assert any("listKeys" in call.url for call in azure.calls[before:]), "it is tried"
    azure.account("aoai-demo").provisioning_state = "Succeeded"
    await minutes(p, 3)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert why, "ARM refused it, and that is shown"


async def test_without_key_authentication_it_sleeps_and_acts_when_it_is_back(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.account("aoai-demo").disable_local_auth = True
    asked = await report(p)
    await p.run(MINUTE)
    found = await the(p, asked)
    assert "key authentication is disabled" in found.why
    azure.account("aoai-demo").disable_local_auth = False
    await minutes(p, 70)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)


async def test_pins_come_from_the_record_while_arm_is_down(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.faults.add(Fault("answer", "arm.*", times=50))
    asked = await report(p)
    found = await the(p, asked)
    assert found.provisional
    azure.faults.clear()
    azure.regenerate_by_hand("aoai-demo", "Key1")
    newer = leaked_of(azure)
    await minutes(p, 30)
    found = await the(p, asked)
    assert found.verdict is not Verdict.OPEN
    assert len(found.pins) == 2, "what the first listing shows is pinned too"
    assert not works(azure, leaked)
    assert not works(azure, newer)


async def test_a_value_that_is_gone_is_only_proved(p: Product) -> None:
    azure = p.azure
    asked = await report(p, Leaked.KEY2)
    azure.advance(2 * KEPT)
    azure.regenerate_by_hand("aoai-demo", "Key2")
    kept = dict(azure.account("aoai-demo").keys)
    await minutes(p, 20)
    found = await the(p, asked)
    assert azure.account("aoai-demo").keys == kept, "nothing is regenerated"
    assert found.verdict is Verdict.NOT_PROVEN, "nobody knows the value, so it cannot be tried"


async def test_not_proven_has_its_own_ending_and_event(p: Product) -> None:
    azure = p.azure
    await report(p, Leaked.KEY2)
    azure.advance(2 * KEPT)
    azure.regenerate_by_hand("aoai-demo", "Key2")
    await minutes(p, 20)
    done = (await p.record()).history[-1]
    assert legacy.ending(done) is Ending.NOT_PROVEN
    assert not done.proven
    (received,) = azure.topics.received.values()
    types = [event["type"] for event in received]
    assert "KeyRotation.NotProven" in types
    assert "KeyRotation.Revoked" not in types


async def test_no_cap_refuses_or_delays_it(p: Product) -> None:
    azure = p.azure
    leaked, now = leaked_of(azure), azure.clock.now()
    full = tuple(
        Request(f"{p.account().slug}-{n:012d}", RequestKind.MANUAL, "r", "mallory", now)
        for n in range(20)
    )
    await p.triggers.journal.amend(
        p.account(), lambda r: replace(r, regenerated=(now,) * 20, requests=full)
    )
    await report(p)
    await p.run(2 * MINUTE)
    assert not works(azure, leaked)


async def test_an_account_without_any_secret_is_cleared_too(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    azure.identity.principals[0].assign("Key rotator", azure.add_account("quiet").id)
    async with serving(azure, tmp_path) as p:
        before = dict(azure.account("quiet").keys)
        request = leak(p, Leaked.UNKNOWN, account=p.account("quiet"))
        asked = (await p.service.commands.request(request)).id
        await p.run(20 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not any(works(azure, value) for value in before.values())


async def test_a_secret_that_showed_the_key_just_before_gets_nothing(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    group = azure.account("aoai-demo").id.partition("/providers/")[0]
    more = {"ROTATION_BINDINGS": f"{OWNERS}={group},{NEIGHBOURS}={group}"}
    async with serving(azure, tmp_path, **more) as p:
        await live(p, 2 * DAY)
        leaked = leaked_of(azure)
        put(azure, "thief", leaked, tags(azure, "aoai-demo"))
        await live(p, timedelta(hours=1))
        asked = await report(p)
        await p.run(5 * MINUTE)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
        await live(p, 2 * DAY)
    assert values(azure, NEIGHBOURS, "thief") == [leaked]
    assert works(azure, latest(azure))


async def test_a_refused_successor_is_never_published(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.account("aoai-demo").new_key_delay = timedelta(hours=1)
    asked = await report(p, Leaked.UNKNOWN)
    await minutes(p, 20)
    found = await the(p, asked)
    assert latest(azure) == leaked
    assert "refused" in found.why
    assert "--force" in found.remedy
    await minutes(p, 60)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert works(azure, latest(azure))


async def test_force_revokes_without_a_successor(p: Product) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    azure.account("aoai-demo").new_key_delay = timedelta(hours=1)
    await report(p, Leaked.UNKNOWN, force=True)
    await minutes(p, 3)
    assert not works(azure, leaked)
    await minutes(p, 90)
    await live(p, timedelta(hours=2))
    assert works(azure, latest(azure)), "once it is accepted, it is published"


async def test_a_document_that_never_began_asks_a_person(p: Product, tmp_path: Path) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    asked = await report(p)
    document = tmp_path / f"{PREFIX}{asked}.json"
    backup = document.read_bytes()
    document.unlink()
    await p.triggers.journal.amend(p.account(), lambda r: replace(r, requests=()))
    p.queue.waiting.clear()
    await live(p, 2 * DAY)
    document.write_bytes(backup)
    await minutes(p, 10)
    found = await the(p, asked)
    assert works(azure, leaked)
    assert found.is_open
    assert "resume" in found.remedy


@pytest.mark.parametrize("garbage", [b"{", b"[]", b'{"format": 1, "salt": 7}'])
async def test_a_garbage_record_neither_refuses_nor_delays_it(
    p: Product, tmp_path: Path, garbage: bytes
) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    settled(tmp_path, p).write_bytes(garbage)
    asked = await report(p)
    await minutes(p, 20)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


async def test_a_record_of_a_newer_version_is_left_alone_and_that_is_shown(
    p: Product, tmp_path: Path
) -> None:
    newer = b'{"format": 99}'
    settled(tmp_path, p).write_bytes(newer)
    asked = await report(p)
    await minutes(p, 3)
    found = await the(p, asked)
    assert settled(tmp_path, p).read_bytes() == newer
    assert "newer version" in found.why
    assert "--force" in found.remedy


async def test_force_works_from_the_document_alone(p: Product, tmp_path: Path) -> None:
    azure = p.azure
    leaked = leaked_of(azure)
    newer = b'{"format": 99}'
    settled(tmp_path, p).write_bytes(newer)
    asked = await report(p, force=True)
    await minutes(p, 10)
    assert (await the(p, asked)).verdict is Verdict.REFUSED
    assert settled(tmp_path, p).read_bytes() == newer
    assert not works(azure, leaked)
    assert works(azure, latest(azure))


async def test_a_key_that_arm_still_lists_after_its_regenerate_is_not_published(
    tmp_path: Path,
) -> None:
    """Found by the simulation: the dead spare was taken for a successor."""
    azure = estate(lives=10 * DAY)
    async with serving(azure, tmp_path) as p:
        account = azure.account("aoai-demo")
        account.stale_for, account.old_key_lag = timedelta(seconds=3), timedelta(seconds=40)
        dead = leaked_of(azure, "Key2")
        await p.triggers.sweep()
        await report(p)
        await p.run(5 * MINUTE)
    assert dead not in values(azure, OWNERS, KEY)


async def test_a_target_that_was_given_up_is_tried_once_more_with_each_new_key(
    tmp_path: Path,
) -> None:
    """Found by the simulation: the leaked key that it still published was regenerated."""
    azure = estate(lives=80 * DAY)
    two_secrets(azure, NEIGHBOURS)
    async with serving(azure, tmp_path, **both_vaults(azure)) as p:
        await live(p, DAY)
        refuse(azure, 503)
        await report(p, overlap=timedelta(hours=2))
        await minutes(p, 8)
        assert (await p.record()).phase is Phase.OVERLAP
        azure.faults.clear()
        await report(p, Leaked.UNKNOWN)
        await minutes(p, 15)
    assert works(azure, latest(azure))
    assert latest(azure, "second", NEIGHBOURS) == latest(azure)


async def test_a_version_that_is_not_visible_yet_is_not_taken_for_another_writer(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    azure.vault(OWNERS).stale_for = timedelta(seconds=3)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY)
        leaked = leaked_of(azure)
        await report(p)
        await p.run(10 * MINUTE)
    assert not works(azure, leaked)
    assert len(values(azure, OWNERS, KEY)) == 2


async def test_rewriting_the_new_value_does_not_restart_the_overlap_of_an_emergency(
    p: Product,
) -> None:
    """A person asked for two hours in which both keys work; a writer must not make it more."""
    azure, hour = p.azure, timedelta(hours=1)
    leaked = leaked_of(azure)
    await report(p, overlap=2 * hour)
    await p.run(hour)
    for _ in range(3):
        put(azure, KEY, latest(azure), tags(azure, "aoai-demo"), OWNERS)
        await p.run(hour)
    assert not works(azure, leaked)


@pytest.mark.parametrize("again", [1, 2, 3, 4])
async def test_nor_does_putting_the_leaked_key_back(p: Product, again: int) -> None:
    azure, hour = p.azure, timedelta(hours=1)
    leaked = leaked_of(azure)
    await report(p, overlap=2 * hour)
    await p.run(hour)
    for _ in range(again):
        put(azure, KEY, leaked, tags(azure, "aoai-demo"), OWNERS)
        await p.run(hour / again)
    await p.run(5 * MINUTE)
    assert not works(azure, leaked)


async def test_nor_does_rewriting_the_other_key_if_the_spare_leaked(p: Product) -> None:
    azure, hour = p.azure, timedelta(hours=1)
    put(azure, KEY, latest(azure), tags(azure, "aoai-demo"), OWNERS)
    leaked = leaked_of(azure, "Key2")
    await report(p, Leaked.KEY2, overlap=2 * hour)
    for _ in range(3):
        await p.run(hour)
        put(azure, KEY, latest(azure), tags(azure, "aoai-demo"), OWNERS)
    assert not works(azure, leaked)
