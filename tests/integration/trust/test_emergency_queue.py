"""Emergencies have their own queue, and need neither of the two."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from emulator.azure import Azure
from rotation.adapters.file_store import FileStore
from rotation.domain.request import Leaked
from rotation.service import messages
from rotation.service.messages import Visit
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import Product, VirtualQueue, playground, product_on


async def leak(made: Product) -> None:
    request = RotationRequest("a leak", "ana", account=made.account(), leaked=Leaked.KEY1)
    await made.service.commands.request(request)


def accounts_in(queue: VirtualQueue) -> set[object]:
    found = [messages.load(text) for _, _, text in queue.waiting]
    return {one.account for one in found if isinstance(one, Visit)}


@pytest.fixture
def azure() -> Azure:
    return playground()


async def test_its_messages_stay_in_its_own_queue(azure: Azure, tmp_path: Path) -> None:
    urgent = VirtualQueue(azure)
    async with product_on(azure, FileStore(tmp_path), urgent) as made:
        await leak(made)
        assert (accounts_in(made.queue), accounts_in(urgent)) == (set(), {made.account()})
        text = urgent.waiting.pop()[2]
        await made.triggers.handle_message(text, urgent=True)
        assert (accounts_in(made.queue), accounts_in(urgent)) == (set(), {made.account()})


async def test_the_timers_visit_continues_in_its_own_queue(azure: Azure, tmp_path: Path) -> None:
    urgent = VirtualQueue(azure)
    async with product_on(azure, FileStore(tmp_path), urgent) as made:
        await leak(made)
        urgent.waiting.clear()
        await made.triggers.respond()
        assert (accounts_in(made.queue), accounts_in(urgent)) == (set(), {made.account()})


async def test_a_message_in_the_work_queue_still_revokes(azure: Azure, tmp_path: Path) -> None:
    """An earlier version put it there."""
    leaked = azure.account("aoai-demo").keys["Key1"]
    async with product_on(azure, FileStore(tmp_path), VirtualQueue(azure)) as made:
        await leak(made)
        await made.queue.put(messages.dump(Visit(made.account())))
        await made.run(timedelta(minutes=5))
    assert azure.accounts.accepted(leaked) is None
