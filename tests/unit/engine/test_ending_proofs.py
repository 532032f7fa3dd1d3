"""The visit that ends a proof lists the versions first, and reads no value that it knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotation.decisions.facts import Facts
from rotation.domain.errors import Transient
from rotation.domain.keys import Key
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import ObservedVersion, Record
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, OLD, rotation

from .test_gatherer import ONE, TAGS, World

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A secret whose latest version cannot be read, so that a fact shows that it was not."""
    made = World(tmp_path)
    made.vaults.add(ONE, NOW - SECOND, TAGS, OLD)
    made.vaults.add(ONE, NOW, TAGS, KEYS.key1)
    made.vaults.hidden = {ONE}
    return made


def record(version: str = "v2", key: Key = KEYS.key1, **members: Any) -> Record:
    operation = rotation(successes=members.pop("successes", 1), **members.pop("of", {}))
    seen = {str(ONE): ObservedVersion(version, key.fingerprint("salt"))}
    return Record(
        ACCOUNT, "salt", **{"phase": Phase.PROVE, "operation": operation, "seen": seen, **members}
    )


def value(facts: Facts) -> Key | None:
    """Return the value of the secret; None if its latest version was to be read."""
    return next((t.value for t in facts.targets if t.readable), None)


async def test_a_version_that_is_known_is_not_read(world: World) -> None:
    facts = await world.facts(record=record())
    assert value(facts) == KEYS.key1
    assert [v.version for v in facts.version_lists[ONE]] == ["v1", "v2"]
    assert world.accounts.calls.count("keys") == 1


@pytest.mark.parametrize(
    "other",
    [
        record("v1"),
        record(key=OLD),
        record(phase=Phase.CLEAN),
        record(phase=Phase.OVERLAP),
        record(successes=0),
    ],
)
async def test_otherwise_it_is_read(world: World, other: Record) -> None:
    assert value(await world.facts(record=other)) is None


async def test_in_an_emergency_it_is_read(world: World) -> None:
    emergency = record(of={"purpose": Purpose.EMERGENCY})
    assert value(await world.facts(record=emergency, in_emergency=True)) is None


@pytest.mark.parametrize(
    "latest", [{"value": None}, {"created": NOW - SECOND}, {"tags": {}}, {"version": "v3"}]
)
async def test_a_latest_version_that_is_not_certain_is_read(
    world: World, latest: dict[str, Any]
) -> None:
    versions = world.vaults.secrets[ONE]
    versions[-1] = replace(versions[-1], **latest)
    assert value(await world.facts(record=record())) is None


async def test_the_list_serves_for_all_versions(world: World) -> None:
    facts = await world.facts(record=record())
    listed = facts.version_lists[ONE]
    assert await world.vaults.read_versions(ONE, {}, listed)
    assert {v.updated for v in listed} == {None}


async def test_if_the_keys_cannot_be_listed_the_failure_is_that_of_any_step(world: World) -> None:
    world.accounts.errors = {"keys": Transient("no answer", code="NoAnswer")}
    with pytest.raises(Transient):
        await world.facts(record=record())
