"""Performs the effects on Azure: each is stored first and has a deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from ..decisions import schedule
from ..decisions.actions import Action, ActionKind
from ..decisions.facts import Facts
from ..domain import tags
from ..domain.errors import Permanent, RotationError, Transient
from ..domain.ids import AccountId
from ..domain.keys import Key, Keys
from ..domain.operation import (
    BY_POLICY,
    Attempt,
    Intent,
    Operation,
    Phase,
    PublishedVersion,
    Purpose,
)
from ..domain.record import ObservedVersion, Record
from ..domain.targets import Target
from .gatherer import Gatherer
from .held_records import Change
from .journal import Journal

_REMEMBERED = 8

EFFECTS = (ActionKind.SEND, ActionKind.PUBLISH, ActionKind.DISABLE)


@dataclass
class Effects:
    """Performs actions. Caches revoked keys to verify that they are refused."""

    gatherer: Gatherer
    journal: Journal
    _former: dict[AccountId, tuple[Key, ...]] = field(default_factory=dict)

    def cached_keys(self, record: Record, *, in_emergency: bool) -> tuple[Key, ...]:
        """Return the keys that this process knows and that are being revoked."""
        if record.phase is Phase.IDLE and not in_emergency:
            self._former.pop(record.account, None)
        return self._former.get(record.account, ())

    def remember(self, account: AccountId, keys: Iterable[Key]) -> None:
        """Remember keys until they are proven to be refused."""
        known = dict.fromkeys((*self._former.get(account, ()), *keys))
        self._former[account] = tuple(known)[-_REMEMBERED:]

    async def perform(self, facts: Facts, action: Action, record: Record) -> Keys | None:
        """Perform an action whose ``record`` has been stored. Other actions have no effect.

        Return the keys in the answer to a regenerate.
        """
        match action.kind:
            case ActionKind.SEND:
                return await self._send(facts, record)
            case ActionKind.PUBLISH:
                await self._publish(facts, action, record)
            case ActionKind.DISABLE:
                disable = self.gatherer.vaults.disable
                await _run_all([partial(disable, *version) for version in action.versions])
        return None

    async def _send(self, facts: Facts, record: Record) -> Keys | None:
        """Send the stored intent once; unless it is known to have failed, it may still arrive."""
        intent = record.intent
        if intent is None:
            raise ValueError("nothing is sent without a stored intent")
        self.remember(record.account, [facts.keys[intent.slot]])
        try:
            self._check_age(facts, intent.issued_at)
            answer = await self.gatherer.accounts.regenerate(record.account, intent.slot)
        except (Transient, Permanent):
            await self.journal.amend(record.account, _answered(intent, None))
            raise
        await self.journal.note(record.account, _answered(intent, replace(intent, answered=True)))
        return answer

    def _check_age(self, facts: Facts, decided_at: datetime) -> None:
        """Refuse a decision that is too old, e.g. because the process was suspended.

        A correction of the clock since then counts as time in either direction.
        """
        if abs(self.gatherer.clock.now() - decided_at) > facts.policy.max_send_age:
            raise Transient("too much time has passed since the decision", code="TooLate")

    async def _publish(self, facts: Facts, action: Action, record: Record) -> None:
        """Publish to each target; a failure does not affect the others."""
        targets = [t for t in facts.targets if t.id in action.targets]
        puts: dict[str, PublishedVersion] = {}
        now = self.gatherer.clock.now()

        async def put(target: Target) -> None:
            puts[str(target.id)] = await self._put(facts, target)

        in_emergency = facts.operation.purpose is Purpose.EMERGENCY
        failed: dict[str, RotationError] = {}
        try:
            failed = await _run_each({str(t.id): partial(put, t) for t in targets})
        finally:
            kept = {n: exc for n, exc in failed.items() if in_emergency or exc.code == BY_POLICY}
            is_whole = len(puts) == len(targets)
            keep = self.journal.note if is_whole else self.journal.amend
            await keep(record.account, lambda r: _noted(r, facts.operation, puts, kept, now))
        if failed and not in_emergency:
            raise next(iter(failed.values()))

    async def _put(self, facts: Facts, target: Target) -> PublishedVersion:
        self._check_age(facts, facts.now)
        operation, now = facts.operation, self.gatherer.clock.now()
        written = tags.written(
            target.tags, operation.candidate, operation.id, now, operation.reason
        )
        expires = operation.expires or schedule.expiry(facts, operation.candidate)
        key = facts.keys[operation.candidate]
        value = self.gatherer.reader.formats.render(target, key, facts.account.endpoint)
        return await self.gatherer.vaults.publish(target, value, written, expires)


def _answered(sent: Intent, now: Intent | None) -> Change:
    """Note the response, unless another worker has cleared the intent in the meantime."""

    def change(current: Record) -> Record | None:
        if current.intent is None or current.intent.id != sent.id:
            return None
        spent = current.regenerated if now else current.regenerated[:-1]
        return replace(current, intent=now, regenerated=spent)

    return change


def _noted(
    record: Record,
    operation: Operation,
    puts: Mapping[str, PublishedVersion],
    failed: Mapping[str, RotationError],
    now: datetime,
) -> Record | None:
    """Note the new versions and the failures; None if another operation is running now."""
    current = record.operation
    if current is None or current.id != operation.id:
        return None
    fingerprint = operation.value or ""
    seen = {name: ObservedVersion(put.version, fingerprint) for name, put in puts.items()}
    following = {name: put.following(current.puts.get(name)) for name, put in puts.items()}
    attempts = {n: a for n, a in current.attempts.items() if n not in puts or a.overwritten}
    attempts |= {n: _attempt(attempts.get(n), exc, now) for n, exc in failed.items()}
    noted = replace(current, puts={**current.puts, **following}, attempts=attempts)
    return replace(record, operation=noted, seen={**record.seen, **seen})


def _attempt(before: Attempt | None, exc: RotationError, now: datetime) -> Attempt:
    """Return a failed attempt after the one before, if any."""
    since, count = (before.since, before.count) if before else (now, 1)
    return Attempt(since, now, exc.code, isinstance(exc, Permanent), count)


async def _run_each(calls: Mapping[str, Callable[[], Awaitable[None]]]) -> dict[str, RotationError]:
    """Run all calls in order, and return the errors."""
    failed: dict[str, RotationError] = {}
    for name, call in calls.items():
        try:
            await call()
        except RotationError as exc:
            failed[name] = exc
    return failed


async def _run_all(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """Run all calls in order, then raise the first error, if any."""
    failed: list[RotationError] = []
    for call in calls:
        try:
            await call()
        except RotationError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]
