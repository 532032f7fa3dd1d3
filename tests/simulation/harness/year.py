"""A year of many accounts in virtual time: rotations are on schedule, and nothing accumulates."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from emulator.services.eventgrid.subscription import Subscription
from emulator.services.keyvault.model import Version
from rotation.domain.ids import AccountId
from rotation.domain.keys import Slot
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import HISTORY

from .invariants import Violation
from .parallel import prepare_process
from .worker import Worker
from .world import World, enrolled_account

DAY = timedelta(days=1)
OVERLAP = timedelta(hours=26)
LARGEST_RECORD = 64 * 1024


@dataclass(frozen=True)
class YearSettings:
    """With ``events``, near-expiry events arrive before the rotations are due."""

    accounts: int = 500
    days: int = 365
    sweep: timedelta = timedelta(hours=12)
    events: bool = False

    @property
    def policy(self) -> Policy:
        return Policy(overlap=OVERLAP, lead=(20 if self.events else 30) * DAY)

    @property
    def name(self) -> str:
        return "timer and events" if self.events else "timer only"


@dataclass(frozen=True)
class YearReport:
    """``record`` is the size of the largest journal document in bytes."""

    settings: YearSettings
    rotations: int
    versions: int
    record: int
    visits: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.settings.name:18} {self.settings.accounts} accounts, "
            f"{self.settings.days} days: "
            f"{self.rotations} rotations, at most {self.versions} versions of a secret, "
            f"at most {self.record} bytes of journal per account, {self.visits} visits, "
            f"{self.seconds:.0f} s"
        )


async def simulate_year(settings: YearSettings) -> YearReport:
    """Raises Violation if a rotation is early, late or unfinished."""
    began, world = time.perf_counter(), _build_world(settings)
    worker, end = Worker(world, settings.policy), world.now + settings.days * DAY
    while world.now < end:
        await worker.triggers.sweep()
        await worker.run(settings.sweep)
        for topic, delivery in world.azure.due_deliveries():
            await worker.triggers.handle_event(delivery.event)
            topic.report(delivery, 200)
    await worker.run(3 * DAY)
    _check(world, settings)
    versions = max(len(found) for found in world.secrets().values())
    record = max(len(body) for body, _ in world.storage.documents.values())
    if record > LARGEST_RECORD:
        raise Violation(f"a journal document has {record} bytes")
    rotations = sum(len(found) - 1 for found in world.secrets().values())
    visits = world.interceptor.call_counts["arm.get_account"]
    return YearReport(settings, rotations, versions, record, visits, time.perf_counter() - began)


def _build_world(settings: YearSettings) -> World:
    """Return a fleet with secrets of every age."""
    world = World(overlap=OVERLAP)
    for number in range(settings.accounts):
        account = AccountId("sub-1", "rg-keys", f"account-{number:04}")
        world.add_account(account)
        world.add_secret(
            f"key-{number:04}",
            Slot.KEY1,
            vault=f"https://kv-{number % 4}.vault.azure.net",
            account=account,
            lives=(45 + number % 45) * DAY,
        )
    if settings.events:
        for vault in world.azure.keyvault.vaults.values():
            vault.topic.subscribe(Subscription("https://here", existing=True))
    return world


def _check(world: World, settings: YearSettings) -> None:
    for target, versions in world.secrets().items():
        for old, new in pairwise(versions):
            _check_date(settings, target.name, old, new)
        account = enrolled_account(versions[-1])
        record = world.record(account)
        if record.phase is not Phase.IDLE or record.blocked or len(record.history) > HISTORY:
            raise Violation(f"{target.name} is in {record.phase}: {record.waiting}")
        if any(version.enabled for version in versions[:-1]):
            raise Violation(f"{target.name}: an old version is still enabled")
        if not world.accepts(versions[-1].value):
            raise Violation(f"{target.name}: the key does not work")
        if _expiry(versions[-1]) - world.now < 15 * DAY:
            raise Violation(f"{target.name} was not rotated")


def _check_date(settings: YearSettings, name: str, old: Version, new: Version) -> None:
    """Check that it was rotated within a day of its due date."""
    left = _expiry(old) - new.created
    lead = settings.policy.lead
    earliest = lead + settings.policy.spread
    latest = lead - settings.sweep - DAY
    if not latest <= left <= earliest:
        raise Violation(f"{name} was rotated {left} before its expiry, and not {lead}")


def _expiry(version: Version) -> datetime:
    return datetime.fromtimestamp(version.exp or 0, UTC)


def _simulate(settings: YearSettings) -> YearReport:
    prepare_process()
    return asyncio.run(simulate_year(settings))


def main() -> int:
    """Simulate both in parallel. Returns the exit status."""
    with ProcessPoolExecutor(2) as pool:
        for report in pool.map(_simulate, (YearSettings(), YearSettings(events=True))):
            print(report, flush=True)
    return 0
