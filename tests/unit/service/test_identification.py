"""A key that somebody has found is told its account: by fingerprint, by value, or by a search."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import UNSET, UnsetType

from rotation.domain.errors import Transient
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.operation import Phase
from rotation.domain.record import Record
from rotation.service.identification import TOO_OFTEN
from rotation.service.replies.identification import IdentificationReply, KeyUse
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, OLD
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS, TWO, A
from tests.unit.engine.vaults import refused

from .world import Service

UNKNOWN = Key("z" * 32)


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


def found(
    checked: int, total: int, slot: Slot = Slot.KEY1, phase: str | UnsetType = UNSET
) -> IdentificationReply:
    return IdentificationReply(
        found=True,
        is_complete=True,
        account=str(ACCOUNT),
        slot=slot,
        use=KeyUse.VALID,
        phase=phase,
        checked=checked,
        total=total,
        unread=0,
    )


async def test_a_known_key_is_found_by_its_fingerprint_without_a_search(world: Service) -> None:
    await world.rest()
    assert await world.identification.identify(KEYS.key2) == found(
        0, 0, slot=Slot.KEY2, phase="idle"
    )
    world.accounts.shown = Keys(KEYS.key1, OLD)
    former = await world.identification.identify(KEYS.key2)
    assert (former.found, former.use) == (True, KeyUse.FORMER)
    assert (former.account, former.checked) == (str(ACCOUNT), 0)


async def test_a_former_key_of_the_record_is_known_too(world: Service) -> None:
    await world.save(former=(OLD.fingerprint((await world.save(waiting="w")).salt),))
    reply = await world.identification.identify(OLD)
    assert (reply.found, reply.use) == (True, KeyUse.FORMER)


async def test_a_key_that_a_secret_publishes_is_found_and_confirmed(world: Service) -> None:
    assert await world.identification.identify(KEYS.key1) == found(2, 2)
    world.accounts.shown = Keys(OLD, KEYS.key2)
    assert not (await world.identification.identify(KEYS.key1)).found


async def test_the_search_goes_on_in_parts_through_secrets_and_then_accounts(
    world: Service,
) -> None:
    for name in ("b", "c", "d"):
        world.publish(TargetId(A, name))
    await world.journal.save(Record(OTHER, "salt", phase=Phase.VERIFY), None)
    first = await world.identification.identify(UNKNOWN)
    assert first == IdentificationReply(
        found=False, is_complete=False, checked=2, total=6, unread=0
    )
    last = await world.identification.identify(UNKNOWN, 4)
    assert (last.checked, last.is_complete, last.found) == (6, True, False)
    assert world.accounts.calls == ["keys", "keys"]


async def test_every_part_has_at_least_one_place(world: Service) -> None:
    world.identification.rate = 0.1
    assert (await world.identification.identify(UNKNOWN)).checked == 1


async def test_what_cannot_be_read_is_counted(world: Service) -> None:
    world.vaults.errors[ONE] = refused("one")
    world.accounts.errors = {"keys": refused("the keys")}
    reply = await world.identification.identify(UNKNOWN)
    assert (reply.checked, reply.unread, reply.is_complete) == (2, 2, True)


async def test_later_parts_do_not_repeat_the_look_at_the_records(world: Service) -> None:
    await world.rest()
    reply = await world.identification.identify(KEYS.key1, 1)
    assert reply == found(2, 2, phase="idle")


async def test_an_account_that_only_a_wrong_secret_names_is_not_searched(world: Service) -> None:
    world.vaults.add(TWO, NOW, TAGS | {"ProviderAddress": "nonsense"}, UNKNOWN)
    reply = await world.identification.identify(UNKNOWN)
    assert (reply.found, reply.total) == (False, 3)


async def test_only_120_keys_a_minute_are_looked_for(world: Service) -> None:
    for _ in range(120):
        await world.identification.identify(UNKNOWN, 9)
    with pytest.raises(Transient) as caught:
        await world.identification.identify(UNKNOWN, 9)
    assert caught.value.code == TOO_OFTEN
    world.now += timedelta(minutes=1)
    await world.identification.identify(UNKNOWN, 9)
