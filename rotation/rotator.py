"""One account, one step: gather, decide, store, act. The only place that knows this order.

What is irreversible is stored as an intent before it is sent, and reconciled by the next step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from . import log, outbox, report, tags, trouble
from .action import Action, Kind, held
from .decision import decide
from .errors import Conflict, Permanent, RotationError, Transient, Unknown, unexpected
from .facts import Facts
from .gather import Gatherer
from .journal import Journal
from .model import AccountId, Key, Target, TargetId
from .ports import Notifier
from .record import Intent, Operation, Phase, Put, Record, Seen
from .report import Outcome

MAX_STEPS = 40
MAX_QUESTIONS = 8
_RESTING = (Kind.IDLE, Kind.WAIT, Kind.BLOCKED)
_EFFECTS = (Kind.SEND, Kind.PUBLISH, Kind.DISABLE)
_SENDING = (Phase.REGENERATE, Phase.REVOKE)


@dataclass
class Rotator:
    """Works on accounts by step. Keeps nothing between steps but old keys, to prove them dead."""

    gatherer: Gatherer
    journal: Journal
    notifier: Notifier | None = None
    _retired: dict[str, Key] = field(default_factory=dict)

    async def visit(self, account: AccountId, known: Iterable[TargetId] = ()) -> Outcome:
        """As many steps as can be taken now. Never raises an expected error."""
        try:
            async with self.journal.lease(account) as ours:
                if not ours:
                    return self._busy(account)
                return await self._visit(account, tuple(known))
        except RotationError as exc:
            return self._unstored(account, exc)

    async def _visit(self, account: AccountId, known: tuple[TargetId, ...]) -> Outcome:
        for _ in range(MAX_STEPS):
            outcome = await self.step(account, known)
            log.info("step", **report.fields(outcome))
            if outcome.kind in _RESTING:
                break
        await outbox.empty(self.journal, self.notifier, account)
        return replace(outcome, busy=outcome.kind not in _RESTING)

    async def explain(self, account: AccountId, known: Iterable[TargetId] = ()) -> Action:
        """What the next step would do and why, without doing or storing anything."""
        record, _ = await self.journal.load(account)
        facts = await self.gatherer.facts(record, tuple(known), listed=False)
        return (await self._decide(facts))[1]

    async def step(self, account: AccountId, known: tuple[TargetId, ...] = ()) -> Outcome:
        """One decision and at most one kind of effect. Raises only where the journal does."""
        record, tag = await self.journal.load(account)
        try:
            facts = await self._facts(record, known)
            facts, action = await self._decide(facts)
            stored = await self._store(facts, action, record, tag)
            await self._perform(facts, action, stored)
        except Conflict:
            return Outcome(account, Kind.MOVE, "the record changed; read it again")
        except RotationError as exc:
            return await self._failed(account, exc)
        except Exception as exc:  # noqa: BLE001 - one account's surprise is not the others'
            return await self._failed(account, unexpected(exc))
        moved = action.not_before != record.waiting_until
        return replace(report.of_action(replace(action, record=stored)), scheduled=moved)

    async def _facts(self, record: Record, known: tuple[TargetId, ...]) -> Facts:
        listed = record.phase in _SENDING
        facts = await self.gatherer.facts(record, known, listed=listed)
        if record.operation and record.operation.retired:
            return replace(facts, remembered=self._retired.get(record.operation.retired))
        return facts

    async def _decide(self, facts: Facts) -> tuple[Facts, Action]:
        for _ in range(MAX_QUESTIONS):
            action = decide(facts)
            if action.kind is not Kind.ASK:
                return facts, self._on_time(facts, action)
            facts = await self.gatherer.answer(facts, action.question)
        raise Transient("the facts change faster than they can be read", code="Unsettled")

    def _on_time(self, facts: Facts, action: Action) -> Action:
        """A clock that is wrong must not measure an overlap."""
        skew = abs(self.gatherer.clock.skew)
        if action.kind in _RESTING or skew <= facts.policy.max_skew:
            return action
        seconds = int(skew.total_seconds())
        return held(facts, f"this machine's clock is off by {seconds} s; correct it")

    async def _store(self, facts: Facts, action: Action, record: Record, tag: str | None) -> Record:
        stored = replace(
            action.record,
            seen=facts.observed,
            waiting=action.reason,
            waiting_until=action.not_before,
        )
        if action.kind not in _EFFECTS:
            stored = replace(stored, trouble=None, failures=0)
        if stored != record:
            await self.journal.save(stored, tag)
        return stored

    async def _perform(self, facts: Facts, action: Action, record: Record) -> None:
        match action.kind:
            case Kind.SEND:
                await self._send(facts, record)
            case Kind.PUBLISH:
                await self._publish(facts, action, record)
            case Kind.DISABLE:
                disable = self.gatherer.vaults.disable
                await _each([partial(disable, *version) for version in action.versions])

    async def _send(self, facts: Facts, record: Record) -> None:
        """Send the stored intent once, and soon; what is not known to have failed may be late."""
        intent = record.intent
        if intent is None:
            raise ValueError("nothing is sent without a stored intent")
        key = facts.keys[intent.slot]
        self._retired = {key.fingerprint(record.salt): key}
        try:
            self._check_age(intent, facts.policy.max_send_age)
            await self.gatherer.accounts.regenerate(record.account, intent.slot)
        except (Transient, Permanent):
            await self._amend_intent(record, intent, None)
            raise
        await self._amend_intent(record, intent, replace(intent, answered=True))

    def _check_age(self, intent: Intent, limit: timedelta) -> None:
        if self.gatherer.clock.now() - intent.issued_at > limit:
            raise Transient("the intent is too old to be sent", code="TooLate")

    async def _amend_intent(self, record: Record, sent: Intent, now: Intent | None) -> None:
        """Note the answer, unless another worker has taken the intent for unknown meanwhile."""

        def change(current: Record) -> Record | None:
            if current.intent is None or current.intent.id != sent.id:
                return None
            spent = current.regenerated if now else current.regenerated[:-1]
            return replace(current, intent=now, regenerated=spent)

        await self.journal.amend(record.account, change)

    async def _publish(self, facts: Facts, action: Action, record: Record) -> None:
        """Each target by itself: one that fails does not keep the others from the new key."""
        targets = [t for t in facts.targets if t.id in action.targets]
        puts: dict[str, Put] = {}

        async def put(target: Target) -> None:
            puts[str(target.id)] = await self._put(facts, target)

        try:
            await _each([partial(put, target) for target in targets])
        finally:
            await self.journal.amend(record.account, lambda r: _with_puts(r, facts.operation, puts))

    async def _put(self, facts: Facts, target: Target) -> Put:
        operation, now = facts.operation, self.gatherer.clock.now()
        written = tags.written(
            target.tags, operation.candidate, operation.id, now, operation.reason
        )
        expires = operation.expires or now + facts.terms.validity
        key = facts.keys[operation.candidate]
        return await self.gatherer.vaults.publish(target, key, written, expires)

    async def _failed(self, account: AccountId, exc: RotationError) -> Outcome:
        now = self.gatherer.clock.now()
        record = await self.journal.amend(account, lambda r: trouble.noted(r, exc, now))
        return Outcome(
            account,
            Kind.WAIT if isinstance(exc, (Transient, Unknown)) else Kind.BLOCKED,
            record.waiting,
            record.waiting_until,
            record.phase,
            record.operation.id if record.operation else None,
            record.trouble,
            scheduled=True,
        )

    def _busy(self, account: AccountId) -> Outcome:
        return Outcome(account, Kind.WAIT, "another worker is on it", busy=True)

    def _unstored(self, account: AccountId, exc: RotationError) -> Outcome:
        """The journal itself failed: nothing was done that it would have to know."""
        now = self.gatherer.clock.now()
        found = trouble.of(exc, now)
        outcome = Outcome(account, Kind.WAIT, str(exc), trouble=found, busy=True)
        log.warning("step", **report.fields(outcome))
        return outcome


def _with_puts(record: Record, operation: Operation, puts: dict[str, Put]) -> Record | None:
    current = record.operation
    if not puts or current is None or current.id != operation.id:
        return None
    fingerprint = operation.value or ""
    seen = {name: Seen(put.version, fingerprint) for name, put in puts.items()}
    operation = replace(current, puts={**current.puts, **puts})
    return replace(record, operation=operation, seen={**record.seen, **seen})


async def _each(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """All of them, one after the other; then the first failure, if there was one."""
    failed: list[RotationError] = []
    for call in calls:
        try:
            await call()
        except RotationError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]
