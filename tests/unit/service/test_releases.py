"""A person lets scheduled work regenerate the key that a withdrawn secret still shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent
from rotation.domain.membership import Member
from rotation.service.messages import Visit
from rotation.service.replies.secret import ReleasedReply
from tests.unit.decisions.account import ACCOUNT, NOW
from tests.unit.engine.test_gatherer import ONE, TWO, A

from .world import CALLER, Service

GONE = Member(NOW, withdrawn=True)


@pytest.fixture
async def world(tmp_path: Path) -> Service:
    """Return an account with one withdrawn secret and one that is bound."""
    made = Service(tmp_path)
    await made.save(members={str(ONE): GONE, str(TWO): Member(NOW)})
    return made


@pytest.mark.parametrize("dry_run", [True, False])
async def test_it_is_noted_and_visited_unless_it_is_a_dry_run(
    world: Service, dry_run: bool
) -> None:
    found = await world.releases.release(ONE, CALLER, "nobody needs it", dry_run=dry_run)
    will = found.will
    assert found == ReleasedReply(
        vault=A, secret="one", account=str(ACCOUNT), will=will, dry_run=dry_run
    )
    members = (await world.stored()).members
    assert members == {
        str(ONE): replace(GONE, released=not dry_run),
        str(TWO): Member(NOW),
    }
    assert [message for message, _ in world.queue.sent] == ([] if dry_run else [Visit(ACCOUNT)])


async def test_a_secret_that_is_bound_or_unknown_is_refused(world: Service) -> None:
    for target in (TWO, type(ONE)(A, "three")):
        with pytest.raises(Permanent) as caught:
            await world.releases.release(target, CALLER, "r", dry_run=False)
        assert caught.value.code == "NotWithdrawn"
    assert world.queue.sent == []
