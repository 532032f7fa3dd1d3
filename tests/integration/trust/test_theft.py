"""A secret does not receive a key of an account that it is not bound to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from .estate import (
    DAY,
    NEIGHBOURS,
    OWNERS,
    estate,
    keys_of,
    live,
    put,
    serving,
    tags,
    values,
    written_by_the_service,
)

DEAD = "d" * 32


@pytest.mark.parametrize("value", ["", DEAD, "placeholder"])
async def test_a_neighbour_who_names_our_account_never_receives_its_key(
    tmp_path: Path, value: str
) -> None:
    azure = estate()
    put(azure, "theirs", value, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path) as p:
        await live(p, 3 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == [value]
    assert len(values(azure, OWNERS, "aoai-demo-key")) == 2, "the owners' own rotation goes on"


async def test_a_secret_does_not_receive_the_key_of_an_unenrolled_account(tmp_path: Path) -> None:
    azure = estate()
    azure.identity.principals[0].assign("Key rotator", azure.add_account("quiet").id)
    put(azure, "theirs", DEAD, tags(azure, "quiet"))
    async with serving(azure, tmp_path) as p:
        await live(p, 3 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == [DEAD]
    assert keys_of(azure, "quiet") == set(azure.account("quiet").keys.values()), "untouched"


async def test_the_theft_is_reported_as_a_problem_that_names_both_sides(tmp_path: Path) -> None:
    azure = estate()
    put(azure, "theirs", DEAD, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path) as p:
        swept = await p.triggers.sweep()
    (problem,) = [text for text in swept.problems if "theirs" in text]
    assert "aoai-demo" in problem
    assert "ROTATION_BINDINGS" in problem


async def test_three_strangers_who_hold_the_spare_key_do_not_move_the_owners_secret(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    for number in range(3):
        spare = azure.account("aoai-demo").keys["Key2"]
        put(azure, f"theirs-{number}", spare, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path) as p:
        await live(p, 3 * DAY)
    assert len(values(azure, OWNERS, "aoai-demo-key")) == 1


async def test_a_stranger_who_stores_the_leaked_key_does_not_receive_the_new_one(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    leaked = azure.account("aoai-demo").keys["Key1"]
    put(azure, "theirs", leaked, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
        azure.regenerate_by_hand("aoai-demo", "Key1")
        await live(p, 2 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == [leaked]
    assert azure.account("aoai-demo").keys["Key1"] in values(azure, OWNERS, "aoai-demo-key")


async def test_without_bindings_and_with_several_vaults_nothing_new_is_bound(
    tmp_path: Path,
) -> None:
    azure = estate()
    put(azure, "theirs", DEAD, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS="") as p:
        await live(p, 3 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == [DEAD]


async def test_an_invalid_setting_keeps_the_last_good_bindings_in_force(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
    put(azure, "theirs", DEAD, tags(azure, "aoai-demo"))
    azure.regenerate_by_hand("aoai-demo", "Key1")
    async with serving(azure, tmp_path, ROTATION_BINDINGS="kv-team-b=everything") as p:
        await live(p, 2 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == [DEAD]
    repaired = values(azure, OWNERS, "aoai-demo-key")[-1]
    assert repaired in azure.account("aoai-demo").keys.values()


async def test_an_old_version_with_a_foreign_value_is_not_disabled(tmp_path: Path) -> None:
    azure = estate()
    secret = azure.secret(OWNERS, "aoai-demo-key")
    current = secret.current
    secret.versions.insert(0, replace(current, id="0" * 32, value="Server=db;Password=hunter2"))
    async with serving(azure, tmp_path) as p:
        await live(p, 3 * DAY)
    assert secret.versions[0].enabled, "a password is not ours to disable"
    assert not secret.versions[1].enabled, "the revoked key is"


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=bbbbbbbb=",
        '{"password": "x"}',
        "MIIKcAIBAzCCCiwGCSqGSIb3DQEHAaCCCh0=",
    ],
)
async def test_a_foreign_value_under_our_tags_is_never_sent_anywhere_nor_overwritten(
    tmp_path: Path, value: str
) -> None:
    azure = estate()
    put(azure, "aoai-demo-key-2", value, tags(azure, "aoai-demo"), vault=OWNERS)
    async with serving(azure, tmp_path) as p:
        await live(p, 3 * DAY)
        journal = written_by_the_service(tmp_path)
    assert values(azure, OWNERS, "aoai-demo-key-2") == [value]
    assert value not in journal
    assert len(values(azure, OWNERS, "aoai-demo-key")) == 2, "other targets go on"
