"""An upgrade keeps rotating and revoking, with one vault and with several."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from rotation.domain.operation import Phase
from tests.compatibility.earlier import rewritten
from tests.integration.wire.product import VAULT

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values

KEY = "aoai-demo-key"
ONE = {"ROTATION_VAULTS": VAULT, "ROTATION_BINDINGS": ""}
SEVERAL = {"ROTATION_BINDINGS": ""}


def written_by_the_earlier_version(directory: Path) -> None:
    """Drop everything that the earlier version did not know."""
    for path in directory.glob("*.json"):
        if len(path.stem) == 16:
            path.write_bytes(rewritten(path.read_bytes()))
    (directory / "bindings.json").unlink(missing_ok=True)


async def overlapping(azure: Azure, directory: Path) -> str:
    """Rotate until both keys work, as the earlier version; return the old key."""
    old = values(azure, OWNERS, KEY)[0]
    async with serving(azure, directory) as p:
        await live(p, timedelta(hours=3))
        assert (await p.record()).phase is Phase.OVERLAP
    written_by_the_earlier_version(directory)
    return old


@pytest.mark.parametrize("vaults", [ONE, SEVERAL], ids=["one vault", "several vaults"])
async def test_a_rotation_that_the_earlier_version_began_ends_with_the_old_key_revoked(
    tmp_path: Path, vaults: dict[str, str]
) -> None:
    azure = estate()
    old = await overlapping(azure, tmp_path)
    async with serving(azure, tmp_path, **vaults) as p:
        await live(p, 3 * DAY)
        assert (await p.record()).phase is Phase.IDLE
    assert azure.accounts.accepted(old) is None
    assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()


@pytest.mark.parametrize("vaults", [ONE, SEVERAL], ids=["one vault", "several vaults"])
async def test_the_next_rotation_happens_too(tmp_path: Path, vaults: dict[str, str]) -> None:
    azure = estate()
    await overlapping(azure, tmp_path)
    async with serving(azure, tmp_path, **vaults) as p:
        await live(p, 3 * DAY)
        before = len(values(azure, OWNERS, KEY))
        await live(p, 66 * DAY, every=timedelta(hours=12))
    assert len(values(azure, OWNERS, KEY)) == before + 1


async def test_of_several_vaults_only_what_was_rotated_before_is_bound(tmp_path: Path) -> None:
    azure = estate()
    await overlapping(azure, tmp_path)
    put(azure, "theirs", "d" * 32, tags(azure, "aoai-demo"))
    put(azure, "shown", azure.account("aoai-demo").keys["Key2"], tags(azure, "aoai-demo"))
    shown = values(azure, NEIGHBOURS, "shown")
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await live(p, 3 * DAY)
    assert values(azure, NEIGHBOURS, "theirs") == ["d" * 32]
    assert values(azure, NEIGHBOURS, "shown") == shown


async def test_a_pair_that_shows_no_current_key_is_not_bound_even_if_it_was_rotated_before(
    tmp_path: Path,
) -> None:
    azure = estate()
    put(azure, "theirs", values(azure, OWNERS, KEY)[0], tags(azure, "aoai-demo"))
    account, dead = azure.account("aoai-demo").id, "d" * 32
    everything = {"ROTATION_BINDINGS": f"{OWNERS}={account},{NEIGHBOURS}={account}"}
    async with serving(azure, tmp_path, **everything) as p:
        await live(p, timedelta(hours=3))
        assert "theirs" in str((await p.record()).seen)
    written_by_the_earlier_version(tmp_path)
    put(azure, "theirs", dead, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await p.visit()
        await live(p, 3 * DAY)
        assert (await p.record()).phase is Phase.IDLE
    assert values(azure, NEIGHBOURS, "theirs")[-1] == dead
    assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()


async def test_the_list_of_bound_pairs_is_never_extended(tmp_path: Path) -> None:
    azure = estate()
    await overlapping(azure, tmp_path)
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await live(p, 3 * DAY)
    dead = "d" * 32
    put(azure, "later", dead, tags(azure, "acct-b"), vault=OWNERS)
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await live(p, DAY)
    assert values(azure, OWNERS, "later") == [dead]


async def test_losing_the_list_holds_scheduled_rotations_and_binds_nothing_new(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await p.triggers.sweep()
    written_by_the_earlier_version(tmp_path)
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await live(p, DAY)
    (tmp_path / "bindings.json").unlink()
    put(azure, "shown", azure.account("aoai-demo").keys["Key1"], tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, **SEVERAL) as p:
        await live(p, 60 * DAY, every=timedelta(hours=12))
        record = await p.record()
    assert len(values(azure, OWNERS, KEY)) == 1, "the rotation is held"
    assert len(values(azure, NEIGHBOURS, "shown")) == 1
    assert "bound pairs" in record.waiting
