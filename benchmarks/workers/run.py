"""One fleet that is due, rotated by several processes; one of them may be killed in the middle.

Azure is emulated in this process, and storage is Azurite. A regenerate takes long, so that the
workers wait for it as they wait for Azure, and not for this machine's processor.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.proxy.server import Proxy
from rotation.domain.ids import AccountId
from tests.end_to_end.system.fleet import Worker, fleet
from tests.end_to_end.system.shared import Shared, shared_storage

VAULT = "kv-fleet"

SUBSCRIPTIONS = 4

# Until the last message of a killed worker, and its leases, are free again.
_LONGEST = 180

_NEVER, _OFTEN = "0 0 0 1 1 *", "*/3 * * * * *"

_SETTINGS = {
    "ROTATION_OVERLAP": "PT1H",
    "ROTATION_PROBE_SUCCESSES": "1",
    "ROTATION_SWEEP_RATE": "100",
    "ROTATION_BINDINGS": ",".join(
        f"{VAULT}=/subscriptions/{SUBSCRIPTION[:-1]}{number}" for number in range(SUBSCRIPTIONS)
    ),
}


@dataclass(frozen=True)
class Run:
    """``seconds`` from the first regenerate to the last publish; ``shares`` are by worker.

    ``twice`` are the accounts with a second regenerate or version; ``unexplained`` are those that
    a killed worker did not work on.
    """

    workers: int
    accounts: int
    seconds: float
    shares: tuple[int, ...]
    twice: frozenset[str]
    unexplained: frozenset[str]
    killed: bool = False


@dataclass
class Progress:
    """Counts the regenerates and the new versions of each account."""

    accounts: int
    regenerates: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    began: float = 0.0
    ended: float = 0.0
    half: asyncio.Event = field(default_factory=asyncio.Event)
    all: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, what: str, detail: Any) -> None:
        """Observe the emulated Azure."""
        if what == "account.regenerating":
            self.began = self.began or time.monotonic()
            self.regenerates[detail[0].name] += 1
            if len(self.regenerates) > self.accounts // 2:
                self.half.set()
        elif what == "secret.set" and self.began:
            self.versions[detail[1].name] += 1
            if len(self.versions) == self.accounts:
                self.ended = time.monotonic()
                self.all.set()

    @property
    def twice(self) -> frozenset[str]:
        """Return the accounts that were changed more often than a rotation does."""
        counts = (*self.regenerates.items(), *self.versions.items())
        return frozenset(name for name, count in counts if count > 1)


async def measure(
    azurite: str,
    directory: Path,
    workers: int,
    accounts: int,
    seconds: float = 2.0,
    *,
    kill: bool = False,
) -> Run:
    """Rotate so many accounts; a regenerate takes ``seconds``. ``kill`` the last worker halfway."""
    azure = Azure()
    azure.add_vault(VAULT)
    azure.faults.add(Fault("delay", "arm.regenerate_key", seconds=seconds, times=10**6))
    async with shared_storage(azurite) as shared, Proxy(azure, directory) as proxy:
        common = _SETTINGS | shared.settings
        schedules = (_OFTEN, *[_NEVER] * (workers - 1))
        given = [{**common, "ROTATION_SCHEDULE": schedule} for schedule in schedules]
        async with fleet(proxy, directory, given) as running:
            progress = Progress(accounts)
            ids = [_enrol(azure, number) for number in range(accounts)]
            azure.observers.append(progress.see)
            if kill:
                await progress.half.wait()
                await running.workers[-1].kill()
                await _free(shared, ids)
            await asyncio.wait_for(progress.all.wait(), _LONGEST)
            sent = [_regenerated(azure, worker) for worker in running.workers]
            if kill:
                await running.workers[0].stop()
    took, lost = round(progress.ended - progress.began, 1), sent[-1] if kill else frozenset()
    shares = tuple(map(len, sent))
    return Run(workers, accounts, took, shares, progress.twice, progress.twice - lost, kill)


def _enrol(azure: Azure, number: int) -> AccountId:
    name = f"account-{number}"
    subscription = SUBSCRIPTION[:-1] + str(number % SUBSCRIPTIONS)
    account = azure.add_account(name, subscription=subscription)
    for worker in azure.identity.principals:
        worker.assign("Key rotator", account.id)
    azure.add_secret(
        VAULT,
        name,
        publishes=(name, "Key1"),
        tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
        expires=azure.clock.now() + timedelta(days=1),
    )
    return AccountId.parse(account.id)


async def _free(shared: Shared, accounts: list[AccountId]) -> None:
    """Break the leases of the killed worker, which would end within a minute."""
    held = await shared.leased()
    await asyncio.gather(*(shared.break_lease(a) for a in accounts if a.slug in held))


def _regenerated(azure: Azure, worker: Worker) -> frozenset[str]:
    """Return the accounts whose regenerate a worker sent."""
    calls = [c for c in azure.calls if c.operation == "arm.regenerate_key"]
    own = [c for c in calls if c.principal == worker.identity.object_id]
    return frozenset(c.url.split("/accounts/")[1].partition("/")[0] for c in own)
