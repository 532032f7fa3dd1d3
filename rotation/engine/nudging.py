"""Lets consumers read their secrets again after a publish. A failure never fails a rotation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from ..decisions import nudges
from ..domain.consumers import Consumers
from ..domain.errors import RotationError, Transient, unexpected
from ..domain.record import Record
from ..ports import Refresher
from ..runtime import log
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited

# An account waits for its consumers no longer than this: it may have an emergency.
SECONDS = 10

Change = Callable[[Record], Record | None]

Amend = Callable[[Change], Awaitable[Record]]


@dataclass(frozen=True)
class Nudging:
    """Performs the attempts that are due, as the record lists them."""

    refresher: Refresher
    consumers: Consumers
    clock: Clock

    async def deliver(self, record: Record, amend: Amend) -> datetime | None:
        """Ask the consumers whose time has come. Return when the account is to be visited next."""
        now = self.clock.now()
        due = nudges.due(record, now)
        found = await gather_limited(self._refresh(name) for name in due)
        errors = dict(zip(due, found, strict=True))
        return (await amend(lambda r: _noted(r, errors, now))).waiting_until

    async def _refresh(self, name: str) -> str:
        """Return the error of an attempt; empty if it succeeded."""
        consumer = self.consumers.find(name)
        if consumer is None or consumer.resource is None:
            return "it has no resource id in ROTATION_CONSUMERS"
        try:
            async with asyncio.timeout(SECONDS):
                await self.refresher.refresh(consumer)
        except TimeoutError:
            return _warned(name, Transient(f"refresh {name}: no answer", code="NoAnswer"))
        except RotationError as exc:
            return _warned(name, exc)
        except Exception as exc:  # noqa: BLE001 - a consumer must not stop an account
            return _warned(name, unexpected(exc))
        log.info("consumer asked", consumer=name)
        return ""


def _warned(name: str, exc: RotationError) -> str:
    log.warning("consumer not asked", consumer=name, reason=exc.advice, code=exc.code)
    return exc.advice


def _noted(record: Record, errors: dict[str, str], now: datetime) -> Record:
    """Note the attempts, and wait no longer than until the next one."""
    for name, error in errors.items():
        record = nudges.tried(record, name, error, now)
    moments = [at for at in (record.waiting_until, nudges.next_at(record)) if at]
    return replace(record, waiting_until=min(moments, default=None))
