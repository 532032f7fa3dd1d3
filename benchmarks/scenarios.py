"""The calls of one account: a rotation, a revocation, an emergency and an overlap."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from emulator.azure import Azure
from rotation.adapters.file_store import FileStore
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import Product, playground, product_on

from .counting import Counts, Meter

_REGENERATE = "arm.regenerate_key"

_PERIOD = timedelta(minutes=15)

_OVERLAP = timedelta(hours=26)


@dataclass
class Scene:
    """One account with one secret that is a target and not due, and a meter."""

    azure: Azure
    product: Product
    meter: Meter

    async def make_due(self) -> None:
        """Let time pass until the rotation is due, without a sweep, and begin to count."""
        self.azure.advance(timedelta(days=60))
        self.product.queue.waiting.clear()
        self.meter.reset()

    async def rotate(self) -> None:
        """Rotate up to the overlap."""
        await self.make_due()
        await self.product.triggers.sweep()
        await self.product.run(timedelta(minutes=5))
        await self._is_in(Phase.OVERLAP)

    async def idle(self, span: timedelta) -> None:
        """Sweep for this long."""
        for _ in range(int(span / _PERIOD)):
            await self.product.triggers.sweep()
            await self.product.run(_PERIOD)

    async def _is_in(self, phase: Phase) -> None:
        found = (await self.meter.record(self.product.account())).phase
        if found is not phase:
            raise RuntimeError(f"the scene is in phase {found}, not {phase}")

    async def revoke(self) -> None:
        """Let the overlap pass without a sweep, and revoke."""
        await self.product.run(_OVERLAP + timedelta(minutes=5))
        await self._is_in(Phase.IDLE)


@asynccontextmanager
async def scene(targets: int = 1) -> AsyncIterator[Scene]:
    """Admit the secrets of one account, and let everything come to rest."""
    azure = playground(days=89)
    account = azure.account("aoai-demo")
    for number in range(1, targets):
        azure.add_secret(
            "kv-demo",
            f"ai-key-{number}",
            publishes=(account.name, "Key1"),
            tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
            expires=azure.clock.now() + timedelta(days=89),
        )
    with tempfile.TemporaryDirectory() as directory:
        meter = Meter(azure, FileStore(directory))
        async with product_on(azure, meter.store) as made:
            await made.triggers.sweep()
            await made.run(timedelta(hours=1))
            await made.triggers.sweep()
            yield Scene(azure, made, meter)


async def halves(targets: int = 1) -> tuple[Counts, Counts]:
    """Return the counts of a rotation and of the revocation that follows."""
    async with scene(targets) as s:
        await s.rotate()
        rotation = s.meter.read()
        await s.revoke()
        return rotation, s.meter.read()


async def emergency() -> Counts:
    """Return the counts from the report of a leaked live key to its regenerate."""
    async with scene() as s:
        await s.make_due()
        request = RotationRequest(
            "a leak", "benchmark", account=s.product.account(), leaked=Leaked.KEY1
        )
        await s.product.service.commands.request(request)
        await s.product.run(timedelta(minutes=5))
        return s.meter.read(until=_REGENERATE)


async def idle() -> Counts:
    """Return the counts of a day of sweeps of an account at rest."""
    async with scene() as s:
        s.meter.reset()
        await s.idle(timedelta(days=1))
        return s.meter.read()


async def overlap() -> Counts:
    """Return the counts of an overlap with its sweeps."""
    async with scene() as s:
        await s.rotate()
        s.meter.reset()
        await s.idle(_OVERLAP - _PERIOD)
        return s.meter.read()
