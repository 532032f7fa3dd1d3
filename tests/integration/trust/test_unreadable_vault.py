"""A vault that cannot be read holds back no emergency of an account that it shares."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rotation.domain.operation import Phase
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags


async def test_an_emergency_ends_although_a_vault_of_the_account_stays_closed(
    tmp_path: Path,
) -> None:
    """Regression: its end was decided and never stored, because the next decision failed."""
    azure = estate(lives=80 * DAY)
    leaked = str(azure.account("aoai-demo").keys["Key1"])
    both = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('aoai-demo').id}"
    put(azure, "second", leaked, tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path, ROTATION_BINDINGS=both) as p:
        await p.triggers.sweep()
        azure.vault(NEIGHBOURS).open = False
        report = RotationRequest("a leak", "alice", account=p.account(), leaked=Leaked.KEY1)
        await p.service.commands.request(report)
        await live(p, timedelta(hours=2))
        record = await p.record()
    assert azure.accounts.accepted(leaked) is None
    assert record.phase is Phase.IDLE
    assert [done.leaked for done in record.history] == [Leaked.KEY1]
