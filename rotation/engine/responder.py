"""Keeps the documents of emergencies up to date, with the reason that one is not over."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..decisions import leaks
from ..decisions.actions import Action, ActionKind
from ..decisions.facts import Facts
from ..domain.emergency import Emergency
from ..domain.errors import NO_SUCH_ACCOUNT, Permanent, RotationError, Transient, Unreadable
from ..domain.ids import AccountId
from ..domain.record import Record
from ..runtime import log
from .emergencies import Emergencies

# An account without key authentication, or out of reach, is looked at this often.
ASLEEP = timedelta(hours=1)

_MINUTE = timedelta(minutes=1)

_GONE = (
    "if the account was moved, report the leak for its new id, then abandon this one; if it was "
    "deleted, its keys work again once it is recovered, so purge it or keep this open"
)

_CONFIRM = "a person must look: resume it to go on, or abandon it"


@dataclass(frozen=True)
class Hold:
    """The reason that a leaked key is not revoked yet, the remedy, and when to look again.

    Without a remedy nobody is alerted: it only waits for its turn.
    """

    why: str = ""
    remedy: str = ""
    look_at: datetime | None = None


@dataclass(frozen=True)
class Responder:
    """Stores what the steps of an account find out about its emergencies."""

    emergencies: Emergencies

    async def of(self, account: AccountId, record: Record) -> tuple[Emergency, ...]:
        """Return the account's emergencies."""
        return await self.emergencies.of(account, leaks.named(record))

    async def prepare(self, facts: Facts, found: tuple[Emergency, ...]) -> Facts:
        """Return the facts with the emergencies, which are stored as they are seen now."""
        facts = leaks.prepared(facts, found, new_salt())
        known = {e.id for e in found}
        for emergency in facts.emergencies:
            if emergency.id not in known:
                await self.emergencies.create(emergency)
        await self.store(found, facts.emergencies)
        return facts

    async def store(self, before: Iterable[Emergency], after: Iterable[Emergency]) -> None:
        """Store the emergencies that changed. Raises Conflict if someone else changed one."""
        known = {e.id: e for e in before}
        for emergency in after:
            old = known.get(emergency.id)
            if old is None or old == emergency:
                continue
            await self.emergencies.save(old, emergency)
            if old.is_open and not emergency.is_open:
                log.info(
                    "emergency",
                    id=emergency.id,
                    account=str(emergency.account),
                    state=emergency.verdict.value,
                    reason=emergency.audit[-1].what if emergency.audit else None,
                )

    async def show(self, found: Iterable[Emergency], hold: Hold, now: datetime) -> None:
        """Store why the open emergencies are not over, for everybody who looks."""
        for emergency in found:
            held = hold
            if emergency.is_stale(now):
                held = Hold(f"accepted at {emergency.at:%F %H:%MZ}, but never begun", _CONFIRM)
            shown = _with(emergency, held)
            if shown == emergency:
                continue
            await self.emergencies.amend(emergency.id, lambda e, h=held: _with(e, h))  # type: ignore[misc]
            if held.remedy and held.why != emergency.why:
                log.error(
                    "emergency",
                    id=emergency.id,
                    account=str(emergency.account),
                    state="not-revoked",
                    reason=held.why,
                    remedy=held.remedy,
                )


def _with(emergency: Emergency, hold: Hold) -> Emergency:
    if not emergency.is_open:
        return emergency
    return replace(emergency, why=hold.why, remedy=hold.remedy, look_at=hold.look_at)


def hold_of(action: Action, now: datetime) -> Hold:
    """Return what to show of an action. A short wait that needs nobody is not shown.

    Nobody looks before the wait is over, for at most a minute: each look costs calls.
    """
    later = min(action.not_before, now + _MINUTE) if action.not_before else None
    if action.kind is ActionKind.BLOCKED or action.remedy:
        return Hold(action.reason, action.remedy or "the reason says what to change", later)
    return Hold(look_at=later)


def hold_of_error(exc: RotationError, now: datetime) -> Hold:
    """Return what to show of a failed step."""
    if isinstance(exc, Unreadable):
        remedy = "repeat the request with --force to revoke without the record"
        return Hold(str(exc), f"{exc.remedy}, or {remedy}" if exc.newer else exc.remedy)
    if isinstance(exc, Permanent) and exc.code != "Unexpected":
        remedy = _GONE if exc.code in NO_SUCH_ACCOUNT else exc.remedy
        return Hold(str(exc), remedy, now + ASLEEP)
    asked = exc.retry_after if isinstance(exc, Transient) else None
    later = now + asked if asked and asked > _MINUTE else None
    return Hold(str(exc), "it is tried again every minute", later)


def new_salt() -> str:
    """Return a salt for the fingerprints of one emergency."""
    return secrets.token_hex(16)
