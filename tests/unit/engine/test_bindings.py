"""The bindings in force are those of the setting, or what the store remembers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rotation.domain import bindings, codec
from rotation.domain.bindings import Bindings, Bound
from rotation.domain.errors import Unreadable
from rotation.domain.ids import AccountId, TargetId
from rotation.engine.bindings import UNSET, BindingRegistry, Stored

from .stores import SharedStore

A, B = "https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net"
BOTH = (A, B)
GOOD, OTHER = "kv-a=/subscriptions/s1", "kv-a=/subscriptions/s2"
ACCOUNT = AccountId("s1", "rg", "acct")
PAIR = (TargetId(A, "key"), ACCOUNT)


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path, "bindings")


async def stored(store: SharedStore) -> Stored | None:
    found = await store.read("bindings")
    return codec.load(Stored, found.body) if found else None


async def remember(store: SharedStore, setting: str | None, **more: object) -> None:
    await store.put("bindings", codec.dump(Stored(setting=setting, **more)))  # type: ignore[arg-type]


async def test_vaults_that_are_listed_at_the_same_time_load_them_once(store: SharedStore) -> None:
    registry = BindingRegistry(store, GOOD, BOTH)
    await registry.current()
    once = len(store.reads)
    store.reads.clear()
    registry = BindingRegistry(store, GOOD, BOTH)
    await asyncio.gather(*(registry.current() for _ in range(5)))
    assert len(store.reads) == once


async def test_a_good_setting_is_in_force_and_remembered(store: SharedStore) -> None:
    registry = BindingRegistry(store, GOOD, BOTH)
    assert (registry.problem, registry.difference) == ("", "")
    assert await registry.current() == Bindings(bindings.parse(GOOD, BOTH))
    assert await registry.problems() == []
    assert await stored(store) == Stored(setting=GOOD)
    store.writes.clear()
    await BindingRegistry(store, GOOD, BOTH).current()
    assert store.writes == [], "it is remembered already"
    await BindingRegistry(store, OTHER, BOTH).current()
    assert await stored(store) == Stored(setting=OTHER)


async def test_the_store_is_read_once(store: SharedStore) -> None:
    registry = BindingRegistry(store, "", BOTH)
    assert await registry.current() is await registry.current()
    assert len(store.reads) == 1


@pytest.mark.parametrize("setting", ["nonsense", "", " "])
async def test_a_setting_that_is_not_good_leaves_the_last_good_one_in_force(
    store: SharedStore, setting: str
) -> None:
    await remember(store, GOOD)
    registry = BindingRegistry(store, setting, BOTH)
    found = await registry.current()
    assert found == Bindings(bindings.parse(GOOD, BOTH), admits=False)
    (problem,) = await registry.problems()
    assert problem.startswith("ROTATION_BINDINGS is not in force: ")
    assert await stored(store) == Stored(setting=GOOD)


@pytest.mark.parametrize(
    ("vaults", "remembered"), [(BOTH, None), ((A,), None), (BOTH, "nonsense"), ((A,), "")]
)
async def test_a_bad_setting_without_a_last_good_one_binds_nothing(
    store: SharedStore, vaults: tuple[str, ...], remembered: str | None
) -> None:
    await remember(store, remembered)
    registry = BindingRegistry(store, "nonsense", vaults)
    assert await registry.current() == Bindings((), admits=False)
    assert "is not vault=scope" in registry.problem


async def test_a_setting_that_was_removed_is_told_apart_from_a_bad_one(store: SharedStore) -> None:
    await remember(store, GOOD)
    registry = BindingRegistry(store, "", BOTH)
    await registry.current()
    assert registry.problem == "it was set before and is not set now"


async def test_a_single_vault_that_never_had_a_setting_is_bound_to_every_account(
    store: SharedStore,
) -> None:
    registry = BindingRegistry(store, "", (A,))
    assert await registry.current() == Bindings(single_vault=True)
    assert await registry.problems() == []
    assert store.writes == []


async def test_several_vaults_that_never_had_a_setting_are_frozen_one_by_one(
    store: SharedStore,
) -> None:
    registry = BindingRegistry(store, "", BOTH)
    assert (await registry.current()).of(*PAIR) is Bound.UNDECIDED
    assert await registry.problems() == [UNSET]
    await registry.freeze(A, [PAIR])
    assert not await registry.is_undecided(A)
    assert await registry.is_undecided(B)
    assert (await registry.current()).of(*PAIR) is Bound.BROAD
    await registry.freeze(A, [])
    await registry.freeze(B, [])
    assert (await registry.current()).of(*PAIR) is Bound.BROAD, "a frozen vault stays as it is"
    assert not await registry.is_undecided(B)
    again = await BindingRegistry(store, "", BOTH).current()
    assert again == await registry.current()


async def test_of_two_processes_that_write_at_once_one_is_enough(store: SharedStore) -> None:
    store.others = [lambda: remember(store, OTHER)]
    registry = BindingRegistry(store, GOOD, BOTH)
    assert await registry.current() == Bindings(bindings.parse(GOOD, BOTH))
    assert await stored(store) == Stored(setting=OTHER)


async def test_a_document_that_cannot_be_read_binds_nothing_and_is_replaced(
    store: SharedStore,
) -> None:
    await store.put("bindings", b"garbage")
    assert (await BindingRegistry(store, "", BOTH).current()).are_lost
    await BindingRegistry(store, GOOD, BOTH).current()
    assert await stored(store) == Stored(setting=GOOD)


@pytest.mark.parametrize("setting", ["", GOOD])
async def test_a_newer_document_is_an_error_of_the_service_and_is_not_replaced(
    store: SharedStore, setting: str
) -> None:
    body = b'{"format":2}'
    await store.put("bindings", body)
    with pytest.raises(Unreadable) as caught:
        await BindingRegistry(store, setting, BOTH).current()
    assert (caught.value.newer, caught.value.of_service) == (True, True)
    found = await store.read("bindings")
    assert found is not None
    assert found.body == body


@pytest.mark.parametrize(
    ("setting", "services", "in_force", "differs"),
    [
        (GOOD, OTHER, OTHER, True),
        (GOOD, GOOD, GOOD, False),
        (f" {GOOD}/ ", GOOD, GOOD, False),
        ("", GOOD, GOOD, False),  # it is not set at the terminal
        ("nonsense", GOOD, GOOD, True),
        (GOOD, None, GOOD, False),
        (GOOD, "nonsense", GOOD, False),
    ],
)
async def test_for_an_operator_the_services_setting_is_in_force(
    store: SharedStore, setting: str, services: str | None, in_force: str, differs: bool
) -> None:
    await remember(store, services)
    store.writes.clear()
    registry = BindingRegistry(store, setting, BOTH, as_operator=True)
    assert await registry.current() == Bindings(bindings.parse(in_force, BOTH))
    assert bool(await registry.problems()) is bool(registry.difference) is differs
    assert registry.problem == ""
    assert store.writes == [], "an operator stores nothing"


async def test_an_operator_freezes_nothing(store: SharedStore) -> None:
    registry = BindingRegistry(store, "", BOTH, as_operator=True)
    await registry.freeze(A, [PAIR])
    assert await stored(store) is None
