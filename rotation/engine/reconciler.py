"""Reconciles one account in steps: gather facts, decide, store the record, perform the action.

Start reading here. An irreversible action is stored as an intent before it is sent; the next step
reads what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from ..decisions import guards, leaks, proving
from ..decisions.actions import Action, ActionKind, blocked
from ..decisions.chain import abandoned, decide
from ..decisions.facts import Facts
from ..decisions.keys import sighted
from ..domain.emergency import Emergency, committed
from ..domain.errors import Conflict, RotationError, Transient, Unknown, Unreadable, unexpected
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Slot
from ..domain.operation import Phase
from ..domain.record import Record
from ..domain.request import Request
from ..ports import Notifier
from ..runtime import log, metrics
from . import failures, outbox, outcome
from .effects import EFFECTS, Effects
from .gatherer import Gatherer
from .journal import Journal
from .nudging import Nudging
from .outcome import Outcome
from .outcome import fields as log_fields
from .recent import Recent
from .responder import Hold, Responder, hold_of, hold_of_error, new_salt
from .resting import Resting

MAX_STEPS = 40

MAX_MOVES = 8

MAX_QUESTIONS = 8

# A visit that goes on within this time may begin with the record as this one leaves it.
SOON = timedelta(minutes=1)

_RESTING = (ActionKind.IDLE, ActionKind.WAIT, ActionKind.BLOCKED)

_SENDING = (Phase.REGENERATE, Phase.REVOKE)

_WRITING = (Phase.PUBLISH, Phase.CLEAN)


@dataclass
class Reconciler:
    """Reconciles accounts. It keeps no state between visits but what ``Resting`` remembers."""

    gatherer: Gatherer
    journal: Journal
    responder: Responder
    notifier: Notifier | None = None
    nudging: Nudging | None = None
    effects: Effects = field(init=False)
    resting: Resting = field(init=False)

    def __post_init__(self) -> None:
        self.effects = Effects(self.gatherer, self.journal)
        self.resting = Resting(self.gatherer)

    async def reconcile(
        self,
        account: AccountId,
        known: Iterable[TargetId] = (),
        wake: datetime | None = None,
        *,
        routine: bool = False,
    ) -> Outcome:
        """Take as many steps as are possible now. Never raises RotationError.

        With ``wake``, do nothing unless the account waits for that time. A ``routine`` visit ends
        early if the account is at rest and nothing has changed.
        """
        try:
            async with self.journal.lease(account, wake) as ours:
                if not ours:
                    return self._busy(account)
                if wake is not None and (await self.journal.load(account))[0].waiting_until != wake:
                    return Outcome(account, ActionKind.WAIT, "superseded by a newer message")
                known = tuple(known)
                unchanged = await self._look(account, known) if routine else None
                return unchanged or await self._visit(account, known)
        except Unreadable as exc:
            if exc.newer and await self._is_forced(account):
                return await self._beside(account, tuple(known))
            return await self._replace_garbage(account, exc)
        except RotationError as exc:
            return self._journal_failed(account, exc)

    async def _look(self, account: AccountId, known: tuple[TargetId, ...]) -> Outcome | None:
        """Return the outcome if the account is at rest as the last full visit left it."""
        record, etag = await self.journal.load(account)
        found = await self.responder.of(account, record)
        if _urgent(found, record) or not await self.resting.is_unchanged(record, etag, known):
            return None
        return outcome.of_rest(record)

    async def _is_forced(self, account: AccountId) -> bool:
        """Return whether a person wants an open emergency to go on at any price."""
        found = await self.responder.emergencies.of(account)
        return any(e.is_open and e.forced for e in found)

    async def _beside(self, account: AccountId, known: tuple[TargetId, ...]) -> Outcome:
        """Respond from the emergency's document alone: a newer version wrote the record.

        Never raises RotationError.
        """
        beside = Reconciler(self.gatherer, self.journal.beside(), self.responder, self.notifier)
        outcome = self._busy(account)
        try:
            async with self.journal.lease(account) as ours:
                for _ in range(MAX_STEPS if ours else 0):
                    outcome = await beside.step(account, known)
                    if outcome.kind in _RESTING or not await self._is_forced(account):
                        break
        except RotationError as exc:
            return self._journal_failed(account, exc)
        return outcome

    async def _replace_garbage(self, account: AccountId, exc: Unreadable) -> Outcome:
        """Let a fresh record take over from garbage, in an emergency at once."""
        metrics.failed(exc.code)
        now, settle = self.gatherer.clock.now(), self.gatherer.policy.settle
        quarantine = dict.fromkeys(Slot, now + settle)
        fresh = replace(self.journal.new(account), quarantine=quarantine, began_at=now)
        try:
            found = await self.responder.emergencies.of(account)
            await self.responder.show(found, hold_of_error(exc, now), now)
            failed = failures.record_failure(fresh, exc, now)
            urgent = any(e.is_open for e in found)
            replaced = await self.journal.set_aside(failed, now, at_once=urgent)
        except RotationError as other:
            return self._journal_failed(account, other)
        return replace(self._journal_failed(account, exc), retry_now=replaced)

    async def _visit(self, account: AccountId, known: tuple[TargetId, ...]) -> Outcome:
        recent = Recent()
        for _ in range(MAX_STEPS):
            outcome = await self.step(account, known, recent)
            if outcome.kind in _RESTING:
                break
        if outcome.has_notifications:
            await outbox.deliver_pending(self.journal, self.notifier, account)
        if self.nudging and outcome.has_nudges:
            record, _ = await self.journal.load(account)
            until = await self.nudging.deliver(record, partial(self.journal.amend, account))
            if until != outcome.until:
                outcome = replace(outcome, kind=ActionKind.WAIT, until=until, new_wait=True)
        self.resting.note(outcome, recent, self.journal.kept(account))
        if _goes_on_soon(outcome, self.gatherer.clock.now()):
            self.journal.leave(account)
        return replace(outcome, retry_now=outcome.kind not in _RESTING)

    async def explain(
        self, account: AccountId, known: Iterable[TargetId] = (), request: Request | None = None
    ) -> tuple[Facts, Action]:
        """Return the next action that has an effect or waits, and its facts.

        ``request`` is added to the record first. Nothing is done or stored.
        """
        record, _ = await self.journal.load(account)
        if request:
            record = replace(record, requests=(*record.requests, request))
        found = await self.responder.of(account, record)
        facts = await self.gatherer.facts(record, tuple(known), in_emergency=_urgent(found, record))
        facts, action = await self._decide(leaks.prepared(facts, found, new_salt()))
        for _ in range(MAX_MOVES):
            if action.kind is not ActionKind.MOVE or action.record == facts.record:
                break
            facts, action = await self._decide(_moved(facts, action))
        return facts, action

    async def step(
        self, account: AccountId, known: tuple[TargetId, ...] = (), recent: Recent | None = None
    ) -> Outcome:
        """Gather facts once, decide, store, and perform at most one effect.

        ``recent`` is what the visit has read so far. Raises only the errors of the journal.
        """
        outcome = await self._step(account, known, recent or Recent())
        if log.is_enabled():
            log.info("step", **log_fields(outcome))
        return outcome

    async def _step(
        self, account: AccountId, known: tuple[TargetId, ...], recent: Recent
    ) -> Outcome:
        record, tag = await self.journal.load(account)
        found = await self.responder.of(account, record)
        later = proving.put_off(record, found, self.gatherer.clock.now())
        if later is not None:
            return await self._put_off(record, tag, found, later)
        try:
            facts, action = await self._decide(await self._facts(record, known, found, recent))
            seen = facts.emergencies
            for _ in range(MAX_MOVES):
                if action.kind is not ActionKind.MOVE or not await self._facts_suffice(
                    recent, action.record
                ):
                    break
                following = await self._following(facts, action)
                if following is None:
                    break
                self._log(action)
                facts, action = following
            if action.failure is not None:
                await self._keep(facts, action, record, tag)
                raise action.failure
            after = _moved(facts, action).emergencies
            if action.kind is ActionKind.SEND:
                after = _committed(after, action.record)
            await self.responder.store(seen, after)
            rest = self.resting.digest(action, facts, recent)
            stored = await self._store(facts, action, record, tag, rest)
            answer = await self.effects.perform(facts, action, stored)
            recent.after(facts, action, answer)
        except Conflict:
            recent.forget()
            return Outcome(account, ActionKind.MOVE, "the record changed; read it again")
        except RotationError as exc:
            return await self._failed(account, exc, found, recent)
        except Exception as exc:  # noqa: BLE001 - an unexpected error must not affect other accounts
            return await self._failed(account, unexpected(exc), found, recent)
        if action.kind in _RESTING:
            await self.responder.show(after, hold_of(action, facts.now), facts.now)
        moved = action.not_before != record.waiting_until
        return outcome.of_action(action, stored, new_wait=moved)

    async def _put_off(
        self, record: Record, tag: str | None, found: tuple[Emergency, ...], until: datetime
    ) -> Outcome:
        """Store that the proof of a regenerate waits, without a call to Azure."""
        waiting = replace(record, waiting=proving.PUT_OFF, waiting_until=until)
        if waiting != record:
            await self.journal.save(waiting, tag)
        hold = Hold(proving.PUT_OFF, look_at=until)
        await self.responder.show(found, hold, self.gatherer.clock.now())
        action = Action(ActionKind.WAIT, proving.PUT_OFF, waiting, until)
        return outcome.of_action(action, waiting, new_wait=until != record.waiting_until)

    async def _facts(
        self,
        record: Record,
        known: tuple[TargetId, ...],
        found: tuple[Emergency, ...],
        recent: Recent,
    ) -> Facts:
        urgent = _urgent(found, record)
        cached = self.effects.cached_keys(record, in_emergency=urgent)
        listed, sent = (
            record.phase in _SENDING,
            record.intent is not None and record.intent.answered,
        )
        max_age = self.gatherer.policy.max_send_age
        now = self.gatherer.clock.now()
        handed = self.responder.emergencies.handover.take(record.account, now)
        if handed and urgent and handed.serves(record):
            recent.keys, recent.at = handed.keys, handed.at
        recent.begin(now, max_age, may_send=listed and not sent, urgent=urgent)
        facts = await self.gatherer.facts(
            record, known, cached, listed=listed, in_emergency=urgent, recent=recent
        )
        facts = await self.responder.prepare(facts, found)
        leaked = [facts.keys[slot] for slot in leaks.leaked_slots(facts)]
        if leaked:
            self.effects.remember(record.account, leaked)
        return facts

    async def _following(self, facts: Facts, move: Action) -> tuple[Facts, Action] | None:
        """Decide what follows a move; None if that fails, so that the move is stored first."""
        try:
            following = await self._decide(_moved(facts, move))
        except RotationError:
            return None
        return following if following[1].failure is None else None

    async def _facts_suffice(self, recent: Recent, record: Record) -> bool:
        """Return whether the next decision may use the same facts.

        Before a regenerate, this step must have read the keys and all secrets that are listed.
        Keys in the answer to a regenerate serve for a proof only.
        """
        if record.phase in _WRITING and recent.is_answer:
            return False
        if record.phase not in _SENDING:
            return True
        if recent.is_reused:
            return False
        listed = await self.gatherer.reader.inventory.listed(record.account, retry=True)
        return {*record.members, *record.notes}.issuperset(str(target) for target in listed)

    async def _decide(self, facts: Facts) -> tuple[Facts, Action]:
        for _ in range(MAX_QUESTIONS):
            action = decide(facts)
            if action.kind is not ActionKind.ASK:
                return facts, self._refuse_skew(facts, action)
            facts = await self.gatherer.resolve(facts, action.missing)
        raise Transient("the account kept changing while it was being read", code="Unsettled")

    def _refuse_skew(self, facts: Facts, action: Action) -> Action:
        """Refuse to act while the clock is skewed: it would measure the overlap wrongly.

        An emergency goes on with the corrected time: see docs/decisions/0014.
        """
        skew = abs(self.gatherer.clock.skew)
        if action.kind in _RESTING or skew <= facts.policy.max_skew or facts.leaks:
            return action
        seconds = int(skew.total_seconds())
        reason = f"this machine's clock is off by {seconds} s; correct it"
        return blocked(facts, reason, facts.now + guards.SOON)

    async def _store(
        self, facts: Facts, action: Action, record: Record, tag: str | None, rest: str
    ) -> Record:
        kept, acts = action.record, action.kind in EFFECTS
        stored = replace(
            kept,
            seen=facts.observed,
            published=facts.fingerprint(facts.live) if facts.live else kept.published,
            waiting=action.reason,
            waiting_until=action.not_before,
            last_failure=kept.last_failure if acts else None,
            failures=kept.failures if acts else 0,
            rest=rest,
        )
        if stored != record or self.journal.is_behind(record.account):
            await self.journal.save(stored, tag)
        return stored

    async def _keep(self, facts: Facts, action: Action, record: Record, tag: str | None) -> None:
        """Store what was noticed before a step fails, such as since when a secret holds it."""
        noticed = replace(action.record, seen=facts.observed)
        if noticed != record:
            await self.journal.save(noticed, tag)

    async def _failed(
        self,
        account: AccountId,
        exc: RotationError,
        found: tuple[Emergency, ...],
        recent: Recent,
    ) -> Outcome:
        now = self.gatherer.clock.now()
        ended = await self._abandoned(account, found)
        if ended:
            return ended
        await self.responder.show(found, hold_of_error(exc, now), now)
        read = recent.unlisted.snapshots if recent.unlisted else ()
        record = await self.journal.amend(
            account, lambda r: failures.record_failure(sighted(r, read, now), exc, now)
        )
        metrics.failed(exc.code)
        return Outcome(
            account,
            ActionKind.WAIT if isinstance(exc, (Transient, Unknown)) else ActionKind.BLOCKED,
            record.waiting,
            record.waiting_until,
            record.phase,
            record.operation.id if record.operation else None,
            record.last_failure,
            new_wait=True,
            of_service=exc.of_service,
        )

    async def _abandoned(self, account: AccountId, found: tuple[Emergency, ...]) -> Outcome | None:
        """End an operation that a person abandoned, although its facts cannot be read."""
        record, tag = await self.journal.load(account)
        policy, now = self.gatherer.policy, self.gatherer.clock.now()
        action = abandoned(record, now, policy, found)
        if action is None:
            return None
        await self.responder.store(found, action.emergencies or found)
        await self.journal.save(action.record, tag)
        return outcome.of_action(action, action.record)

    def _busy(self, account: AccountId) -> Outcome:
        return Outcome(account, ActionKind.WAIT, "another worker holds the lease", retry_now=True)

    def _journal_failed(self, account: AccountId, exc: RotationError) -> Outcome:
        """Return the outcome if the journal failed, in which case nothing was changed."""
        now = self.gatherer.clock.now()
        found = failures.from_exception(exc, now)
        outcome = Outcome(
            account,
            ActionKind.WAIT,
            exc.advice,
            failure=found,
            retry_now=not isinstance(exc, Unreadable),
            of_service=exc.of_service,
        )
        log.warning("step", **log_fields(outcome))
        return outcome

    def _log(self, action: Action) -> None:
        if log.is_enabled():
            log.info("step", **log_fields(outcome.of_action(action, action.record)))


def _committed(found: tuple[Emergency, ...], record: Record) -> tuple[Emergency, ...]:
    """Return the emergencies with the regenerate that is about to be sent.

    They are stored before the record's intent. The write fails if one was cancelled in the
    meantime, and a cancellation that comes later is refused.
    """
    return tuple(committed(e, record.intent.id) for e in found) if record.intent else found


def _moved(facts: Facts, action: Action) -> Facts:
    """Return the facts as they are once the action is stored."""
    after = {e.id: e for e in action.emergencies or ()}
    emergencies = tuple(after.get(e.id, e) for e in facts.emergencies)
    return replace(facts, record=action.record, emergencies=emergencies)


def _goes_on_soon(outcome: Outcome, now: datetime) -> bool:
    """Return whether an operation goes on in a moment, as a proof does."""
    is_waiting = outcome.kind is ActionKind.WAIT and not outcome.failed
    return is_waiting and outcome.until is not None and outcome.until - now <= SOON


def _urgent(found: tuple[Emergency, ...], record: Record) -> bool:
    """Return whether an emergency is open, or named by the record without a document yet."""
    known = {e.id for e in found}
    return any(e.is_open for e in found) or not known.issuperset(leaks.named(record))
