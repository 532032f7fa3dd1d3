"""The secrets of an account: those found, those gone, and those that cannot be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rotation.domain.errors import Permanent, RotationError
from rotation.domain.formats import FOREIGN, parse
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key
from rotation.engine.bindings import BindingRegistry
from rotation.engine.inventory import Inventory
from rotation.engine.reader import Expected, Read, SecretReader
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW

from .stores import SharedStore
from .test_gatherer import FAR, ONE, OTHER, TAGS, TWO, A
from .vaults import Vaults, refused

DAY = timedelta(days=1)
OTHERS = {"ProviderAddress": str(OTHER)}


class Place:
    """One vault, and a reader of its secrets."""

    def __init__(self, directory: Path, formats: str = '{"text": "Key={key}"}') -> None:
        self.vaults = Vaults((A,))
        bindings = BindingRegistry(SharedStore(directory), "", (A,))
        clock = Clock(lambda: NOW)
        inventory = Inventory(self.vaults, clock, bindings)
        self.reader = SecretReader(self.vaults, inventory, parse(formats))

    async def read(self, *ids: TargetId, members: set[TargetId] | None = None) -> Read:
        return await self.reader.read(ACCOUNT, ids, members or set())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_secrets_are_read_in_order_and_only_in_configured_vaults(place: Place) -> None:
    for one in (TWO, ONE, FAR):
        place.vaults.add(one, NOW, TAGS)
    found = await place.read(TWO, FAR, ONE)
    assert [s.id for s in found.snapshots] == [ONE, TWO]
    assert (found.deleted, found.unreadable) == ((), {})


async def test_a_member_is_gone_only_if_its_vault_does_not_list_it_either(place: Place) -> None:
    place.vaults.add(TWO, NOW, TAGS)
    place.vaults.hidden = {TWO}
    found = await place.read(ONE, TWO, members={ONE, TWO})
    assert (found.snapshots, found.deleted) == ((), (ONE,))
    assert {target: e.code for target, e in found.unreadable.items()} == {TWO: "Contradiction"}
    assert place.vaults.listings == [A, A], "each from a new listing"


async def test_a_member_is_not_gone_if_its_vault_cannot_be_listed(place: Place) -> None:
    place.vaults.errors[A] = refused("the listing")
    found = await place.read(ONE, members={ONE})
    assert (found.deleted, found.unreadable) == ((), {ONE: place.vaults.errors[A]})


async def test_a_secret_that_never_was_a_member_may_be_missing(place: Place) -> None:
    assert await place.read(ONE) == Read()
    assert place.vaults.listings == []


@pytest.mark.parametrize(
    ("error", "code"), [(refused("one"), "Forbidden"), (KeyError("a key"), "Unexpected")]
)
async def test_a_secret_that_cannot_be_read_hides_no_other(
    place: Place, error: Exception, code: str
) -> None:
    place.vaults.add(TWO, NOW, TAGS)
    place.vaults.errors[ONE] = error
    found = await place.read(ONE, TWO, members={ONE, TWO})
    assert [s.id for s in found.snapshots] == [TWO]
    assert (found.deleted, found.unreadable[ONE].code) == ((), code)


async def test_versions_that_cannot_be_listed_make_no_secret_unreadable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_versions(target: TargetId) -> None:
        raise Permanent("missing", code="SecretNotFound", remedy="restore it")

    monkeypatch.setattr(place.vaults, "list_versions", list_versions)
    last = place.vaults.add(TWO, NOW, TAGS, KEYS.key1)
    expected = dict.fromkeys((ONE, TWO), Expected(last.version, KEYS.key1))
    found = await place.reader.read(ACCOUNT, (ONE, TWO), {ONE, TWO}, expected)
    assert (found.snapshots, found.deleted, found.unreadable) == ((last,), (ONE,), {})


async def test_a_version_without_our_tags_has_those_of_the_newest_that_has_them(
    place: Place,
) -> None:
    for age, tags in ((2, TAGS | {"x": "new"}), (3, TAGS | {"x": "old"}), (1, OTHERS), (0, {})):
        place.vaults.add(ONE, NOW - age * DAY, tags, KEYS.key1)
    (found,) = (await place.read(ONE)).snapshots
    assert (found.tags, found.former_tags) == ({}, TAGS | {"x": "new"})
    assert found.value == KEYS.key1


async def test_a_secret_that_never_had_our_tags_is_read_as_it_is(place: Place) -> None:
    place.vaults.add(ONE, NOW - DAY, OTHERS)
    last = place.vaults.add(ONE, NOW, {}, KEYS.key1)
    assert (await place.read(ONE)).snapshots == (last,)


@pytest.mark.parametrize(
    ("format_", "written", "read"),
    [
        ("text", Key("Key=abc"), Key("abc")),
        ("text", Key("abc"), FOREIGN),
        ("text", None, None),
        ("", Key("Key=abc"), Key("Key=abc")),
    ],
)
async def test_a_version_without_our_tags_is_read_in_the_format_of_the_tags_before(
    place: Place, format_: str, written: Key | None, read: Key | None
) -> None:
    place.vaults.add(ONE, NOW - DAY, TAGS | {"RotationFormat": format_})
    place.vaults.add(ONE, NOW, {}, written)  # type: ignore[arg-type]
    (found,) = (await place.read(ONE)).snapshots
    assert found.value == read


async def test_one_in_a_format_that_is_not_defined_cannot_be_read(place: Place) -> None:
    place.vaults.add(ONE, NOW - DAY, TAGS | {"RotationFormat": "lost"})
    place.vaults.add(ONE, NOW, {})
    found = await place.read(ONE)
    assert (found.snapshots, found.unreadable[ONE].code) == ((), "UnknownFormat")


async def test_a_secret_is_found_by_its_tags_or_by_those_of_its_newest_version_with_any(
    place: Place,
) -> None:
    assert await place.reader.find(ONE) is None
    place.vaults.add(ONE, NOW - 3 * DAY, TAGS)
    assert await place.reader.find(ONE) == (ACCOUNT, place.vaults.secrets[ONE][-1])
    place.vaults.add(ONE, NOW - 4 * DAY, OTHERS)
    last = place.vaults.add(ONE, NOW, {})
    assert await place.reader.find(ONE) == (ACCOUNT, last)


async def test_a_secret_without_an_account_is_not_found(place: Place) -> None:
    place.vaults.add(ONE, NOW, {"x": "y"})
    assert await place.reader.find(ONE) is None
    for address in ("", "nonsense"):
        place.vaults.add(TWO, NOW - DAY, TAGS)
        place.vaults.add(TWO, NOW, {" provideraddress ": address})
        assert await place.reader.find(TWO) is None, "a person has changed its address"


async def test_a_secret_that_is_not_bound_to_its_account_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.reader.inventory.bindings = BindingRegistry(
        SharedStore(tmp_path), "kv=/subscriptions/s2", (A,)
    )
    place.vaults.add(ONE, NOW, TAGS)
    with pytest.raises(Permanent) as caught:
        await place.reader.find(ONE)
    assert caught.value.code == "NotBound"


async def test_a_secret_that_cannot_be_read_is_not_found_missing(place: Place) -> None:
    place.vaults.errors[ONE] = refused("one")
    with pytest.raises(RotationError):
        await place.reader.find(ONE)
