"""The last readers of a secret, if the logs can tell."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rotation.domain.errors import Permanent, Transient
from rotation.domain.targets import SecretRead
from rotation.service.last_readers import UNCONNECTED
from rotation.service.views import readers
from tests.unit.decisions.account import NOW
from tests.unit.engine.test_gatherer import ONE, TWO, A

from .world import Service

READ = SecretRead("app", "v1", NOW)


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


async def test_the_logs_are_asked_for_thirty_days(world: Service) -> None:
    world.logs.reads = {"one": [READ, SecretRead("scanner", "v1", NOW)]}
    found = await world.readers.of(ONE)
    assert found.readers is not None
    assert [one.identity for one in found.readers] == ["app"]
    assert (found.at, found.latest) == (NOW, "v1")
    assert world.logs.asked == [(A, "one", NOW - timedelta(days=30))]


async def test_without_logs_or_if_they_fail_nobody_knows(world: Service) -> None:
    world.logs.reads = {"one": Transient("busy")}
    found = await world.readers.of(ONE)
    assert found == readers.unknown(ONE, "busy", NOW)
    object.__setattr__(world.readers, "evidence", None)
    assert await world.readers.of(ONE) == readers.unknown(ONE, UNCONNECTED, NOW)


async def test_a_secret_that_is_not_enrolled_is_refused(world: Service) -> None:
    with pytest.raises(Permanent):
        await world.readers.of(TWO)
