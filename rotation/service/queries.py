"""The fleet, its operations and its health, as the HTTP API and the command line show them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..domain import codec
from ..domain.access import Caller
from ..domain.errors import RotationError
from ..domain.model import AccountId
from ..domain.policy import Policy
from ..domain.record import Operation, Record, Wish, WishKind
from ..engine.record_cache import Archive
from ..runtime import log
from ..runtime import metrics as telemetry
from .triggers import Triggers
from .unmanaged import Surroundings
from .views import fleet, timeline
from .views import operation as report
from .views.fleet import Row

SHOWN = 200

POLL = timedelta(seconds=1)


@dataclass
class Overview:
    """Looks, and changes nothing."""

    triggers: Triggers
    policy: Policy
    period: timedelta

    def __post_init__(self) -> None:
        self.journal, self.inventory = self.triggers.journal, self.triggers.inventory
        self.archive = Archive(self.journal)
        self.surroundings = Surroundings(self.triggers.vaults, self._accounts, self.inventory)

    @property
    def _accounts(self) -> Any:
        return self.triggers.rotator.gatherer.accounts

    async def fleet(self, caller: Caller) -> dict[str, Any]:
        """The body of ``GET /api/secrets``."""
        rows, problems = await self.rows()
        now = self.inventory.clock.now()
        managed = {row.account for row in rows if row.account}
        unmanaged, more = await self.surroundings.unmanaged(managed)
        counts = fleet.summary(rows, now)
        counts["lastSweep"] = await self._last_sweep()
        return {
            "at": codec.present({"at": now})["at"],
            "caller": {"name": caller.name, "roles": caller.role_names},
            "summary": counts,
            "secrets": [fleet.shown(row, now) for row in rows],
            "unmanaged": unmanaged,
            "problems": [*problems, *more],
        }

    async def rows(self) -> tuple[list[Row], list[str]]:
        """One row for each enrolled secret, and what could not be read."""
        listings = await self.inventory.listings()
        problems = [str(listing.error) for listing in listings if listing.error]
        listed = [secret for listing in listings for secret in listing.secrets]
        records = await self.archive.records()
        now = self.inventory.clock.now()
        return [
            fleet.row(s, records.get(s.account.slug) if s.account else None, self.policy, now)
            for s in sorted(listed, key=lambda s: s.target)
        ], problems

    async def account(self, slug: str) -> dict[str, Any] | None:
        """The body of ``GET /api/accounts/{slug}``; None where nothing is known of it."""
        record = await self.journal.find(slug)
        return timeline.of(record, self.inventory.clock.now()) if record else None

    async def rotations(
        self, state: str = "", account: str = "", batch: str = ""
    ) -> dict[str, Any]:
        """Operations and waiting requests, the newest first, at most 200; and how many in all."""
        records = await self.archive.records()
        slug = AccountId.parse(account).slug if account else None
        found = [
            report.of_operation(record, one)
            for record in records.values()
            if slug in (None, record.account.slug)
            for one in _all(record)
            if not batch or batch in _keys(one)
        ]
        shown = [body for body in found if not state or body["state"] == state]
        return {
            "rotations": sorted(shown, key=_when, reverse=True)[:SHOWN],
            "states": dict(Counter(body["state"] for body in found)),
        }

    async def status(self, operation_id: str, wait: timedelta = timedelta()) -> Any:
        """As ``Triggers.status``, at the latest after ``wait`` or as soon as it has ended."""
        found = await self.triggers.status(operation_id)
        while found and found["state"] in ("waiting", "running") and wait > timedelta():
            await asyncio.sleep(POLL.total_seconds())
            wait -= POLL
            found = await self.triggers.status(operation_id)
        return found

    async def health(self) -> dict[str, Any]:
        """The body of ``GET /api/health``: nothing but whether the sweep lives."""
        sweep = await self._last_sweep() or {}
        age = sweep.get("ageSeconds")
        limit = 3 * max(self.period, timedelta(minutes=15)).total_seconds()
        status = "ok" if age is not None and age <= limit else "degraded"
        return {"status": status, "lastSweepAgeSeconds": age}

    async def observe(self) -> None:
        """Say how the fleet is, for whoever is not looking: one log line, and the gauges."""
        try:
            rows, problems = await self.rows()
            age = (await self.health())["lastSweepAgeSeconds"]
        except RotationError as exc:
            log.warning("fleet unknown", reason=str(exc), code=exc.code)
            return
        counts = fleet.summary(rows, self.inventory.clock.now())
        log.info("fleet", **counts, sweepAgeSeconds=age, problems=len(problems))
        telemetry.fleet(counts, tuple(fleet.State), age)

    async def _last_sweep(self) -> dict[str, Any] | None:
        """The last one; ``ageSeconds`` is that of the last that did its work."""
        last = await self.journal.last_sweep()
        if last is None:
            return None
        now = self.inventory.clock.now()
        age = max(now - last.succeeded, timedelta()) if last.succeeded else None
        return {
            "at": codec.present({"at": last.at})["at"],
            "ageSeconds": int(age.total_seconds()) if age is not None else None,
            "accounts": last.accounts,
            "problems": list(last.problems),
            "stopped": last.stopped,
        }


def _all(record: Record) -> list[Operation | Wish]:
    running = [record.operation] if record.operation else []
    asked = [w for w in record.wishes if w.kind in (WishKind.MANUAL, WishKind.EMERGENCY)]
    return [*asked, *running, *record.history]


def _keys(one: Operation | Wish) -> tuple[str, ...]:
    if isinstance(one, Operation):
        return one.idempotency_keys
    return (one.idempotency_key,) if one.idempotency_key else ()


def _when(body: dict[str, Any]) -> str:
    return str(body.get("startedAt") or body.get("requestedAt") or "")
