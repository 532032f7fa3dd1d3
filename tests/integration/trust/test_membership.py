"""Enrolled stays enrolled until an explicit act; membership rests on the record."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from rotation.domain.operation import Phase
from rotation.service.requests import RotationRequest
from tests.integration.wire.api import Api

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values

KEY = "aoai-demo-key"


def key(azure: Azure, slot: str = "Key1") -> str:
    return str(azure.account("aoai-demo").keys[slot])


async def test_a_version_without_tags_does_not_unenrol_the_secret(tmp_path: Path) -> None:
    """The portal and ``az keyvault secret set`` write such versions."""
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
        put(azure, KEY, key(azure), {}, vault=OWNERS)
        await live(p, 5 * DAY)
    published = values(azure, OWNERS, KEY)[-1]
    assert published in azure.account("aoai-demo").keys.values()
    latest = azure.secret(OWNERS, KEY).versions[-1]
    assert "ProviderAddress" in (latest.tags or {}), "our publish wrote it"


async def test_a_version_without_tags_does_not_end_a_running_operation(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await live(p, 2 * timedelta(hours=1))
        assert (await p.record()).phase is Phase.OVERLAP
        old = values(azure, OWNERS, KEY)[0]
        put(azure, KEY, values(azure, OWNERS, KEY)[-1], {}, vault=OWNERS)
        await live(p, 3 * DAY)
        record = await p.record()
    assert azure.accounts.accepted(old) is None, "the old key was revoked"
    assert record.phase is Phase.IDLE


async def test_a_hand_made_version_without_tags_is_repaired_only_if_its_value_is_a_former_key(
    tmp_path: Path,
) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        old = values(azure, OWNERS, KEY)[0]
        await live(p, 4 * DAY)
        put(azure, KEY, old, {}, vault=OWNERS)
        await live(p, DAY)
        assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()
        put(azure, KEY, "f" * 32, {}, vault=OWNERS)
        await live(p, DAY)
    assert values(azure, OWNERS, KEY)[-1] == "f" * 32


async def test_removing_the_address_from_the_same_version_leaves_after_one_overlap(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
        azure.secret(OWNERS, KEY).versions[-1].tags = {"team": "blue"}
        await live(p, timedelta(hours=20))
        assert f"https://{OWNERS}.vault.azure.net/secrets/{KEY}" in (await p.record()).seen
        await live(p, timedelta(hours=10))
        assert (await p.record()).seen == {}


async def test_without_a_record_our_tags_on_any_version_make_it_a_target(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "before") as p:
        await live(p, 4 * DAY)
    put(azure, KEY, key(azure, "Key2"), {}, vault=OWNERS)
    async with serving(azure, tmp_path / "after") as p:
        await live(p, 2 * DAY)
        record = await p.record()
    assert f"https://{OWNERS}.vault.azure.net/secrets/{KEY}" in record.seen


@pytest.mark.parametrize("readable", [True, False])
async def test_after_a_lost_record_a_rotation_waits_until_every_secret_was_looked_at(
    tmp_path: Path, readable: bool
) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "before") as p:
        await live(p, 4 * DAY, every=timedelta(hours=6))
    azure.vault(NEIGHBOURS).public_network = readable
    quarter = timedelta(minutes=15)
    async with serving(azure, tmp_path / "after") as p:
        await p.triggers.sweep()
        await p.service.commands.request(RotationRequest("due", "alice", account=p.account()))
        await p.run(quarter)
        assert len(values(azure, OWNERS, KEY)) == 2
        await live(p, 8 * quarter, every=quarter)
        assert len(values(azure, OWNERS, KEY)) == (3 if readable else 2)
        await live(p, 2 * DAY, every=timedelta(hours=6))
    assert len(values(azure, OWNERS, KEY)) == 3


async def test_in_a_broadly_bound_vault_a_placeholder_is_not_admitted(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    group = azure.account("aoai-demo").id.partition("/providers/")[0]
    put(azure, "placeholder", "p" * 32, tags(azure, "aoai-demo"), vault=OWNERS)
    async with serving(azure, tmp_path, ROTATION_BINDINGS=f"{OWNERS}={group}") as p:
        await live(p, DAY)
        notes = (await p.record()).notes
    assert values(azure, OWNERS, "placeholder") == ["p" * 32]
    assert any("placeholder" in name and "enrol" in why for name, why in notes.items())


async def test_a_secret_that_names_another_account_moves_when_nothing_is_under_way(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    both = f"{OWNERS}={azure.account('aoai-demo').id},{OWNERS}={azure.account('acct-b').id}"
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both) as p:
        await p.triggers.sweep()
        assert KEY in str((await p.record()).seen)
        put(azure, KEY, azure.account("acct-b").keys["Key1"], tags(azure, "acct-b"), vault=OWNERS)
        await live(p, DAY)
        assert KEY not in str((await p.record()).seen)
        assert KEY in str((await p.record("acct-b")).seen)


async def test_admission_leaving_and_withdrawal_are_announced_once(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    both = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('aoai-demo').id}"
    put(azure, "second", key(azure), tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both) as p:
        await live(p, timedelta(hours=3))
    async with serving(azure, tmp_path) as p:
        await live(p, timedelta(hours=3))
        azure.secret(OWNERS, KEY).versions[-1].tags = {}
        await live(p, 2 * DAY)
    (received,) = azure.topics.received.values()
    told = [(event["type"], event["data"]["secret"].rpartition("/")[2]) for event in received]
    ours = [one for one in told if one[1] != "acct-b-key"]
    assert ours == [
        ("KeyRotation.Admitted", KEY),
        ("KeyRotation.Admitted", "second"),
        ("KeyRotation.Withdrawn", "second"),
        ("KeyRotation.Left", KEY),
    ]


async def test_a_secret_does_not_move_while_its_former_account_rotates(tmp_path: Path) -> None:
    azure = estate()
    both = f"{OWNERS}={azure.account('aoai-demo').id},{OWNERS}={azure.account('acct-b').id}"
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both) as p:
        await live(p, timedelta(hours=3))
        assert (await p.record()).phase is Phase.OVERLAP
        rotation = {"RotationId": (azure.secret(OWNERS, KEY).current.tags or {})["RotationId"]}
        other = azure.account("acct-b").keys["Key2"]
        put(azure, KEY, other, tags(azure, "acct-b") | rotation, vault=OWNERS)
        await live(p, timedelta(hours=3))
        assert KEY not in str((await p.record("acct-b")).members)
        await live(p, 12 * DAY, every=timedelta(hours=6))
        assert KEY in str((await p.record("acct-b")).members)
    assert values(azure, OWNERS, KEY)[-1] in azure.account("acct-b").keys.values()


async def test_a_withdrawn_pair_is_not_written_to_any_more(tmp_path: Path) -> None:
    azure = estate()
    both = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('aoai-demo').id}"
    put(azure, "second", key(azure), tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both, ROTATION_LEAD="P1D") as p:
        await p.triggers.sweep()
        assert "second" in str((await p.record()).seen)
    async with serving(azure, tmp_path) as p:
        await live(p, 2 * DAY)
    assert len(values(azure, NEIGHBOURS, "second")) == 1


async def test_the_key_that_a_withdrawn_secret_shows_is_not_revoked_for_seven_days(
    tmp_path: Path,
) -> None:
    azure = estate()
    both = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('aoai-demo').id}"
    shown = key(azure)
    put(azure, "second", shown, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both, ROTATION_LEAD="P1D") as p:
        await p.triggers.sweep()
    async with serving(azure, tmp_path) as p:
        await live(p, 5 * DAY, every=timedelta(hours=6))
        assert azure.accounts.accepted(shown) is not None, "its consumers may still use it"
        await live(p, 10 * DAY, every=timedelta(hours=6))
    assert azure.accounts.accepted(shown) is None


async def release(api: Api, **more: bool) -> tuple[int, Any]:
    body = json.dumps({"reason": "the team has moved", **more}).encode()
    return await api.call(
        "release_secret", params={"vault": NEIGHBOURS, "secret": "second"}, body=body
    )


async def test_a_person_may_release_a_withdrawn_secret_before_that(tmp_path: Path) -> None:
    azure = estate()
    both = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('aoai-demo').id}"
    shown = key(azure)
    put(azure, "second", shown, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both, ROTATION_LEAD="P1D") as p:
        await p.triggers.sweep()
        api = Api(p, tmp_path / "answers.txt")
        assert (await release(api))[0] == 409, "it is bound"
    async with serving(azure, tmp_path) as p:
        api = Api(p, tmp_path / "answers.txt")
        await live(p, 2 * DAY, every=timedelta(hours=6))
        status, found = await release(api, dry_run=True)
        assert (status, found["account"]) == (200, azure.account("aoai-demo").id)
        await live(p, DAY, every=timedelta(hours=6))
        assert azure.accounts.accepted(shown) is not None, "a dry run releases nothing"
        status, found = await release(api)
        assert (status, found["dryRun"]) == (200, False)
        await live(p, timedelta(hours=3))
    assert azure.accounts.accepted(shown) is None
    assert values(azure, NEIGHBOURS, "second") == [shown]
