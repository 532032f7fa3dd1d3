"""A second rotation service or an old script regenerates the keys too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rotation.domain.access import Caller
from rotation.domain.operation import Phase
from rotation.domain.request import RequestKind
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import Product

from .estate import DAY, OWNERS, estate, keys_of, live, serving, values

KEY = "aoai-demo-key"
SLOW = timedelta(hours=3)


async def regenerated_by_others(p: Product, times: int) -> None:
    """Regenerate the published key by hand, once a day."""
    for _ in range(times):
        account = p.azure.account("aoai-demo")
        published = values(p.azure, OWNERS, KEY)[-1]
        slot = next(slot for slot, key in account.keys.items() if key == published)
        p.azure.regenerate_by_hand("aoai-demo", slot)
        await live(p, DAY, every=SLOW)


async def requested(p: Product) -> None:
    """Request a rotation, which is scheduled work like one that is due."""
    await p.service.commands.request(RotationRequest("due", "alice", account=p.account()))


async def test_three_changes_by_others_within_a_week_hold_scheduled_work(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY, every=SLOW)
        await regenerated_by_others(p, 3)
        made = keys_of(azure, "aoai-demo")
        await requested(p)
        await live(p, 2 * DAY, every=SLOW)
        record = await p.record()
        assert keys_of(azure, "aoai-demo") == made, "nothing was regenerated"
        assert record.blocked is not None
        assert record.blocked.code == "foreign-changes"

        await regenerated_by_others(p, 1)
        assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()

        commands, operator = p.service.commands, Caller("alice@contoso.com")
        await live(p, DAY, every=SLOW)
        blocked = await p.record()
        assert blocked.blocked is not None
        await commands._record_answer(blocked, RequestKind.RESUME, operator, "script removed")
        await live(p, 4 * DAY, every=SLOW)
        record = await p.record()
    assert record.phase is Phase.IDLE
    assert keys_of(azure, "aoai-demo") > made


async def test_three_changes_in_more_than_a_week_do_not(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY, every=SLOW)
        await regenerated_by_others(p, 2)
        await live(p, 6 * DAY, every=SLOW)
        await regenerated_by_others(p, 1)
        await requested(p)
        await live(p, 4 * DAY, every=SLOW)
        record = await p.record()
    assert record.blocked is None
    assert record.history[-1].proven


async def test_our_own_rotations_are_not_changes_by_others(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path) as p:
        await live(p, 4 * DAY, every=SLOW)
        record = await p.record()
    assert record.history[-1].proven
    assert record.foreign_changes == ()
