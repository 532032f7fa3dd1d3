"""Events may be forged, late or repeated: each only makes the service look."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.domain import events
from rotation.domain.errors import RotationError, Transient
from rotation.domain.events import Expiring
from rotation.domain.record import ObservedVersion
from rotation.service.messages import ExpiryNotice, Visit
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW
from tests.unit.engine.test_gatherer import ONE, TAGS, A

from .world import Service

EVENT = Expiring(A, "one", "V1", "e-1", events.IS_NEW)
NOTICE = ExpiryNotice(EVENT)


class World(Service):
    """The service whose looks are only noted."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.looks: list[Visit] = []

        async def look(visit: Visit) -> None:
            self.looks.append(visit)

        self.visits.look = look  # type: ignore[method-assign]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def event(kind: str = "SecretNearExpiry", vault: str = "kv") -> dict[str, Any]:
    data = {"VaultName": vault, "ObjectType": "Secret", "ObjectName": "one", "Version": "v1"}
    return {"id": "e-1", "eventType": f"Microsoft.KeyVault.{kind}", "data": data}


REGENERATED = {
    "id": "e-2",
    "eventType": events.ACTION,
    "data": {
        "operationName": "Microsoft.CognitiveServices/accounts/regenerateKey/action",
        "resourceUri": str(ACCOUNT),
    },
}


class TestAccept:
    async def test_an_event_about_a_secret_becomes_a_message(self, world: World) -> None:
        assert await world.notices.accept(event()) == "look at one"
        ((message, delay),) = world.queue.sent
        assert isinstance(message, ExpiryNotice)
        assert (message.event.secret, message.event.what) == ("one", "is near expiry")
        assert (message.tries, delay) == (0, timedelta())

    async def test_a_key_that_somebody_regenerated_becomes_a_visit(self, world: World) -> None:
        assert await world.notices.accept(REGENERATED) == f"look at {ACCOUNT.name}"
        assert world.queue.sent == [(Visit(ACCOUNT), timedelta())]

    async def test_any_other_is_ignored_with_the_reason(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        reason = await world.notices.accept(event(vault="kv-other"))
        assert "not configured" in reason
        assert caplog.text.count("event ignored") == 1
        assert world.queue.sent == []

    async def test_of_many_each_is_accepted_and_each_reason_is_logged_once(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        others = [event(vault="kv-other")] * 2
        await world.notices.accept_all([event(), *others, REGENERATED, 7])
        assert len(world.queue.sent) == 2
        assert caplog.text.count("event ignored") == 2


class TestHandle:
    async def test_it_looks_at_the_account_of_the_secret(self, world: World) -> None:
        await world.notices.handle(NOTICE)
        assert world.looks == [Visit(ACCOUNT, (ONE,))]

    @pytest.mark.parametrize(
        ("tags", "says"), [({}, "not enrolled"), (TAGS, "a newer version exists")]
    )
    async def test_a_secret_that_is_not_enrolled_or_newer_needs_no_look(
        self, world: World, tags: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        if not tags:
            world.vaults.secrets.clear()
        world.vaults.add(ONE, NOW, tags, KEYS.key1)
        await world.notices.handle(NOTICE)
        assert world.looks == []
        assert says in caplog.text

    @pytest.mark.parametrize(
        ("members", "is_ours"),
        [
            ({}, True),
            ({"what": "is near expiry"}, False),
            ({"version": "v2"}, False),
            ({"secret": "two"}, False),
        ],
    )
    async def test_a_version_that_this_service_created_needs_no_look(
        self, world: World, members: dict[str, str], is_ours: bool
    ) -> None:
        await world.gatherer.reader.inventory.listings()
        await world.save(seen={str(ONE): ObservedVersion("v1", "f")})
        calls = len(world.vaults.known)
        world.vaults.errors[ONE] = Transient("busy")
        await world.notices.handle(ExpiryNotice(changed(EVENT, **members)))
        is_asked = bool(world.queue.sent) or "secret" in members
        assert (is_asked, world.looks, calls) == (not is_ours, [], 0)

    async def test_without_a_record_or_a_listing_every_version_is_looked_at(
        self, world: World
    ) -> None:
        await world.save(seen={str(ONE): ObservedVersion("v1", "f")})
        await world.notices.handle(NOTICE)
        assert len(world.looks) == 1, "it was never listed"
        await world.gatherer.reader.inventory.listings()
        await world.save(seen={})
        await world.notices.handle(NOTICE)
        assert len(world.looks) == 2

    @pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (3, 40), (19, 15 * 60)])
    async def test_one_that_cannot_be_judged_now_is_tried_again_later(
        self, world: World, tries: int, seconds: int
    ) -> None:
        world.vaults.errors[ONE] = Transient("busy")
        await world.notices.handle(replace(NOTICE, tries=tries))
        again = replace(NOTICE, tries=tries + 1)
        assert world.queue.sent == [(again, timedelta(seconds=seconds))]

    async def test_after_twenty_tries_it_is_given_up(self, world: World) -> None:
        world.vaults.errors[ONE] = Transient("busy")
        with pytest.raises(ValueError, match="gave up on an event for one"):
            await world.notices.handle(replace(NOTICE, tries=20))
        assert world.queue.sent == []

    @pytest.mark.parametrize("code", ["NotBound", "UnknownVault"])
    async def test_one_that_only_a_change_of_the_settings_would_help_is_ignored(
        self, world: World, code: str
    ) -> None:
        world.vaults.errors[ONE] = RotationError("a stranger's secret", code=code)
        await world.notices.handle(NOTICE)
        assert (world.looks, world.queue.sent) == ([], [])
