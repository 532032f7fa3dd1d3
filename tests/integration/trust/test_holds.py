"""A secret may hold its account's scheduled work for a bounded time, of any cause."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.services.accounts import KeyLife
from rotation.domain.operation import Phase
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values
from .test_steering import HALF_DAY, KEY, join, shared

HOUR = timedelta(hours=1)


def closed(azure: Azure, shut: bool = True) -> None:
    azure.vault(NEIGHBOURS).public_network = not shut


async def overlapping(p: Product) -> None:
    await live(p, 3 * HOUR)
    assert (await p.record()).phase is Phase.OVERLAP


async def test_a_hold_counts_from_its_own_beginning(tmp_path: Path) -> None:
    """While the service stood still for days, nobody held anything."""
    azure = estate()
    join(azure)
    old = values(azure, OWNERS, KEY)[0]
    async with serving(azure, tmp_path, **shared(azure)) as p:
        await overlapping(p)
        azure.advance(10 * DAY)
        closed(azure)
        await live(p, 6 * DAY, every=HALF_DAY)
        assert azure.accounts.accepted(old) is not None, "its consumers may still use it"
        await live(p, 2 * DAY, every=HALF_DAY)
    assert azure.accounts.accepted(old) is None


async def test_the_holds_of_one_secret_are_added_up(tmp_path: Path) -> None:
    azure = estate()
    join(azure, RotationPaused="true")
    old = values(azure, OWNERS, KEY)[0]
    async with serving(azure, tmp_path, **shared(azure)) as p:
        await live(p, 5 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 1
        azure.secret(NEIGHBOURS, "theirs").current.tags = tags(azure, "aoai-demo")
        await overlapping(p)
        azure.advance(DAY)
        closed(azure)
        await live(p, DAY, every=HALF_DAY)
        assert azure.accounts.accepted(old) is not None
        await live(p, 2 * DAY, every=HALF_DAY)
    assert azure.accounts.accepted(old) is None


async def test_secrets_that_take_turns_hold_it_for_two_weeks_together(tmp_path: Path) -> None:
    azure = estate()
    names = ("theirs", "theirs-2", "theirs-3")
    for name in names:
        put(azure, name, values(azure, OWNERS, KEY)[0], tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, **shared(azure)) as p:
        for day in range(13):
            for number, name in enumerate(names):
                paused = {"RotationPaused": "true"} if day % 3 == number else {}
                azure.secret(NEIGHBOURS, name).current.tags = tags(azure, "aoai-demo", **paused)
            await live(p, DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 1
        for _ in range(3):
            await live(p, DAY, every=HALF_DAY)
    assert len(values(azure, OWNERS, KEY)) == 2


@pytest.mark.parametrize("status", [403, 404, 503])
async def test_a_secret_whose_versions_cannot_be_listed_holds_it_within_the_bound(
    tmp_path: Path, status: int
) -> None:
    azure = estate()
    join(azure)
    old = values(azure, OWNERS, KEY)[0]
    url = f"*{NEIGHBOURS}*/theirs/versions*"
    azure.faults.add(Fault("answer", "keyvault.*", url, status=status, times=10**6))
    async with serving(azure, tmp_path, **shared(azure)) as p:
        await live(p, 6 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 1
        await live(p, 9 * DAY, every=HALF_DAY)
        assert (await p.record()).phase is Phase.IDLE
    assert len(values(azure, OWNERS, KEY)) == 2
    assert azure.accounts.accepted(old) is None


async def test_it_does_not_hold_repairs_of_the_others(tmp_path: Path) -> None:
    azure = estate()
    join(azure)
    async with serving(azure, tmp_path, **shared(azure)) as p:
        url = f"*{NEIGHBOURS}*/theirs/versions*"
        azure.faults.add(Fault("answer", "keyvault.*", url, status=403, times=10**6))
        await live(p, HOUR)
        put(azure, KEY, "d" * 32, tags(azure, "aoai-demo"), OWNERS)
        await live(p, HOUR)
    assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()


async def test_a_key_that_works_but_is_neither_of_the_two_concerns_its_secret_alone(
    tmp_path: Path,
) -> None:
    azure = estate()
    join(azure)
    theirs, owners = "e" * 32, azure.account("aoai-demo")
    azure.accounts.lives[theirs] = KeyLife(owners, "Key1", azure.clock.now())
    async with serving(azure, tmp_path, **shared(azure)) as p:
        await p.triggers.sweep()
        put(azure, "theirs", theirs, tags(azure, "aoai-demo"))
        await live(p, DAY, every=HOUR)
        note = str((await p.record()).notes)
        published = values(azure, OWNERS, KEY)
        await live(p, 2 * DAY, every=HALF_DAY)
        assert (await p.record()).phase is Phase.IDLE
    assert len(published) == 2, "the owners are rotated all the same"
    assert values(azure, NEIGHBOURS, "theirs")[-1] == theirs
    assert "works" in note


async def test_a_secret_that_is_put_on_the_other_key_again_and_again_is_repaired_rarely(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    join(azure)
    spare = azure.account("aoai-demo").keys["Key2"]
    written = 0
    async with serving(azure, tmp_path, **shared(azure)) as p:
        await live(p, HOUR)
        for _ in range(4 * 24 * 3):
            if values(azure, NEIGHBOURS, "theirs")[-1] != spare:
                put(azure, "theirs", spare, tags(azure, "aoai-demo"))
                written += 1
            await live(p, HOUR / 4, every=HOUR / 4)
    assert 3 < written < 16
    assert len(values(azure, OWNERS, KEY)) == 1
