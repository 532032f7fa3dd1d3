"""While Azure has few calls left, normal work waits, and emergencies go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation.adapters.file_store import FileStore
from rotation.domain.ids import TargetId
from rotation.domain.request import Leaked
from rotation.service import messages
from rotation.service.messages import Visit
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import VAULT, Product, VirtualQueue, playground, product_on

KEY = TargetId(VAULT, "ai-key")


@pytest.fixture
async def p(tmp_path: Path) -> AsyncIterator[Product]:
    azure = playground()
    async with product_on(azure, FileStore(tmp_path), VirtualQueue(azure)) as made:
        yield made


def leave(azure: Azure, writes: int) -> None:
    """Let somebody else use the principal's writes, but for so many."""
    principal = azure.identity.principals[0].object_id
    subscription = azure.account("aoai-demo").id.split("/")[2]
    left = 200
    while left > writes:
        now = azure.clock.now()
        headers = azure.arm.throttling.spend("writes", principal, subscription, now)
        left = int(headers["x-ms-ratelimit-remaining-subscription-writes"])


async def message(p: Product, *, routine: bool = False, urgent: bool = False) -> int:
    """Handle a message that names the account; return the calls that it caused."""
    before = len(p.azure.calls)
    visit = Visit(p.account(), (KEY,), routine=routine)
    await p.triggers.handle_message(messages.dump(visit), urgent=urgent)
    return len(p.azure.calls) - before


async def test_below_the_reserve_a_visit_waits_and_is_not_lost(p: Product) -> None:
    leave(p.azure, 30)
    assert await message(p), "nothing is known of the limit before the first answer"
    waiting = len(p.queue.waiting)
    assert await message(p) == 0
    at, _, text = p.queue.waiting[-1]
    assert len(p.queue.waiting) == waiting + 1
    assert messages.load(text) == Visit(p.account(), (KEY,))
    assert 0 < at - p.azure.clock.now().timestamp() < 10


async def test_a_look_waits_three_times_and_is_then_left_to_the_next_sweep(p: Product) -> None:
    leave(p.azure, 30)
    await message(p)
    text = messages.dump(Visit(p.account(), (KEY,), routine=True))
    for tries in (1, 2, 3):
        await p.triggers.handle_message(text)
        _, _, text = p.queue.waiting[-1]
        assert messages.load(text) == Visit(p.account(), (KEY,), tries=tries, routine=True)
    waiting = len(p.queue.waiting)
    await p.triggers.handle_message(text)
    assert len(p.queue.waiting) == waiting


async def test_with_enough_left_it_does_not_wait(p: Product) -> None:
    leave(p.azure, 60)
    await message(p)
    p.azure.advance(timedelta(minutes=2))
    assert await message(p)


async def test_an_emergency_uses_the_reserve(p: Product) -> None:
    leave(p.azure, 30)
    await message(p)
    leaked = p.azure.account("aoai-demo").keys["Key1"]
    request = RotationRequest("a leak", "ana", account=p.account(), leaked=Leaked.KEY1)
    await p.service.commands.request(request)
    assert await message(p, urgent=True)
    assert p.azure.accounts.accepted(leaked) is None


async def test_after_a_429_of_a_vault_fewer_visits_to_it_start(p: Product) -> None:
    """Key Vault sends no Retry-After."""
    p.azure.faults.add(Fault("answer", "keyvault.get_secret", status=429, times=1))
    await message(p)
    now, pressures = p.azure.clock.now(), p.triggers.visits.pressures
    pauses = [pressures.pause([VAULT], str(number), now) for number in range(100)]
    assert 30 < sum(map(bool, pauses)) < 70
    assert not any(pressures.pause(["https://other"], str(n), now) for n in range(100))
