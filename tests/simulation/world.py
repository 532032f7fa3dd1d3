"""A small Azure behind the ports, with virtual time, faults at every call, and a checker.

The state is plain data; every change is checked against the invariants at once. The wire level
tests the same rotator through the real SDKs; here a scenario costs a fraction of a millisecond.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from rotation import codec, tags
from rotation.clock import Clock
from rotation.errors import Conflict, Permanent, RotationError, Transient, Unknown
from rotation.gather import Gatherer
from rotation.inventory import Inventory
from rotation.journal import Journal
from rotation.messages import Visit
from rotation.model import (
    Account,
    AccountId,
    Answer,
    Key,
    Keys,
    Policy,
    Slot,
    Target,
    TargetId,
    Verdict,
    Version,
)
from rotation.ports import Document, Listed
from rotation.record import Put, Record
from rotation.rotator import Rotator
from rotation.sweep import Sweep
from rotation.triggers import Triggers

T = TypeVar("T")
START = datetime(2026, 11, 23, tzinfo=UTC)
VAULT = "https://kv-a.vault.azure.net"
ACCOUNT = AccountId("sub-1", "rg-keys", "aoai-demo")


class Crash(BaseException):
    """The worker is gone: nothing in it catches this."""


@dataclass
class StoredVersion:
    """One version of a secret as the vault has it."""

    version: str
    value: str
    created: datetime
    expires: datetime | None
    tags: dict[str, str]
    enabled: bool = True
    content_type: str | None = None
    by_person: bool = False


@dataclass
class World:
    """Accounts, secrets, time; and what was asked of it, by call name."""

    now: datetime = START
    keys: dict[AccountId, dict[Slot, str]] = field(default_factory=dict)
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    secrets: dict[TargetId, list[StoredVersion]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    regenerated: list[tuple[datetime, Slot]] = field(default_factory=list)
    dead: dict[str, datetime] = field(default_factory=dict)
    works_from: dict[str, datetime] = field(default_factory=dict)
    lag_new: timedelta = timedelta()
    lag_old: timedelta = timedelta()
    faults: list[Callable[[str, int], str | None]] = field(default_factory=list)
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    observers: list[Callable[[str], None]] = field(default_factory=list)
    documents: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    reachable: bool = True
    accepts_everything: bool = False
    unlistable: set[str] = field(default_factory=set)
    in_late_request: bool = False
    accepted_at_publish: set[str] = field(default_factory=set)
    _serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    # What people and time do.

    def add_account(self, account: AccountId = ACCOUNT, kind: str = "OpenAI", **more: Any) -> None:
        self.keys[account] = {slot: self._new_key() for slot in Slot}
        self.accounts[account] = Account(account, kind, "https://aoai.openai.azure.com", **more)

    def add_secret(
        self,
        name: str = "aoai-key",
        slot: Slot = Slot.KEY1,
        *,
        vault: str = VAULT,
        account: AccountId = ACCOUNT,
        lives: timedelta | None = timedelta(days=20),
        with_tags: Mapping[str, str] | None = None,
    ) -> TargetId:
        target = TargetId(vault, name)
        enrolled = {
            tags.PROVIDER_ADDRESS: str(account),
            tags.VALIDITY_PERIOD_DAYS: "90",
            tags.CREDENTIAL_ID: slot.value,
        }
        expires = self.now + lives if lives is not None else None
        self.put(target, self.keys[account][slot], enrolled | dict(with_tags or {}), expires)
        return target

    def put(
        self, target: TargetId, value: str, with_tags: Mapping[str, str], expires: datetime | None
    ) -> StoredVersion:
        stored = StoredVersion(
            f"{next(self._serial):032x}",
            value,
            self.now.replace(microsecond=0),
            expires,
            dict(with_tags),
        )
        self.secrets.setdefault(target, []).append(stored)
        return stored

    def by_hand(self, target: TargetId, value: str) -> None:
        """Somebody writes a version of their own, with the tags as they were."""
        latest = self.secrets[target][-1]
        self.put(target, value, latest.tags, latest.expires)

    def regenerate(self, account: AccountId, slot: Slot) -> None:
        old = self.keys[account][slot]
        self.keys[account][slot] = self._new_key()
        self.dead[old] = self.now + self.lag_old
        self.works_from[self.keys[account][slot]] = self.now + self.lag_new

    def accepts(self, value: str) -> bool:
        live = any(value in slots.values() for slots in self.keys.values())
        if live:
            return self.works_from.get(value, START) <= self.now
        return value in self.dead and self.now < self.dead[value]

    def latest(self, target: TargetId) -> StoredVersion:
        return self.secrets[target][-1]

    def published(self, target: TargetId, account: AccountId = ACCOUNT) -> Slot | None:
        value = self.latest(target).value
        return next((s for s, key in self.keys[account].items() if key == value), None)

    def advance(self, delta: timedelta) -> None:
        until = self.now + delta
        while due := sorted(entry for entry in self.late if entry[0] <= until):
            self.late.remove(due[0])
            self.now = max(self.now, due[0][0])
            self.in_late_request = True
            due[0][1]()
            self.in_late_request = False
        self.now = until

    def _new_key(self) -> str:
        return f"key-material-{next(self._serial):08d}-" + "x" * 60

    # What the product's calls go through.

    async def call(self, name: str, effect: Callable[[], T], *, changes: bool = False) -> T:
        """One call, with whatever fault somebody put on it."""
        number = self.counted[name]
        self.counted[name] += 1
        self.calls.append(name)
        await asyncio.sleep(0)
        fault = next((f for f in (fault(name, number) for fault in self.faults) if f), None)
        return self._faulty(name, fault, effect, changes)

    def _faulty(self, name: str, fault: str | None, effect: Callable[[], T], changes: bool) -> T:
        if fault == "crash-before":
            raise Crash(name)
        if fault == "refused":
            raise Transient(f"{name}: 503", code="HTTP503")
        if fault == "forbidden":
            raise Permanent(f"{name}: 403", code="AuthorizationFailed", remedy="grant it")
        if fault == "late" and changes:
            self.late.append((self.now + timedelta(seconds=45), lambda: _carried_out(effect)))
            raise Unknown(f"{name}: no answer", code="NoAnswer")
        if fault == "lost" and not changes:
            raise Transient(f"{name}: no answer", code="NoAnswer")
        if fault == "lost-before" and changes:
            raise Unknown(f"{name}: no answer", code="NoAnswer")
        result = effect()
        if changes:
            for observer in self.observers:
                observer(name)
        if fault == "lost":
            raise Unknown(f"{name}: no answer", code="NoAnswer")
        if fault == "crash-after":
            raise Crash(name)
        return result


def _carried_out(effect: Callable[[], object]) -> None:
    """A late request may by then be refused; nobody is there to hear of it."""
    with suppress(RotationError):
        effect()


@dataclass
class WorldAccounts:
    world: World

    async def get(self, account: AccountId) -> Account:
        def found() -> Account:
            if account not in self.world.accounts:
                raise Permanent("404", code="ResourceNotFound", remedy="correct the tag")
            return self.world.accounts[account]

        return await self.world.call("get", found)

    async def keys(self, account: AccountId) -> Keys:
        def both() -> Keys:
            slots = self.world.keys[account]
            return Keys(Key(slots[Slot.KEY1]), Key(slots[Slot.KEY2]))

        return await self.world.call("keys", both)

    async def regenerate(self, account: AccountId, slot: Slot) -> None:
        def effect() -> None:
            for observer in self.world.observers:
                observer(f"before-regenerate:{account.name}:{slot}")
            self.world.regenerate(account, slot)
            self.world.regenerated.append((self.world.now, slot))

        await self.world.call("regenerate", effect, changes=True)


@dataclass
class WorldVaults:
    world: World
    urls: tuple[str, ...] = (VAULT,)

    async def enrolled(self, vault: str) -> AsyncIterator[Listed]:
        def check() -> None:
            if vault in self.world.unlistable:
                raise Permanent("403", code="ForbiddenByFirewall", remedy="open it")

        await self.world.call("list", check)
        for target, versions in list(self.world.secrets.items()):
            account = tags.enrolled(versions[-1].tags) if versions else None
            if target.vault == vault and account:
                yield Listed(target, account, versions[-1].expires)

    async def read(self, target: TargetId) -> Target | None:
        return await self.world.call("read", lambda: self._latest(target))

    def _latest(self, target: TargetId) -> Target | None:
        versions = self.world.secrets.get(target)
        enrolment = tags.read(versions[-1].tags) if versions else None
        if not versions or enrolment is None:
            return None
        latest = versions[-1]
        return Target(
            id=target,
            version=latest.version,
            value=Key(latest.value) if latest.enabled else None,
            created=latest.created,
            expires=latest.expires,
            content_type=latest.content_type,
            tags=latest.tags,
            enrolment=enrolment,
        )

    async def versions(self, target: TargetId) -> tuple[Version, ...]:
        def every() -> tuple[Version, ...]:
            stored = sorted(self.world.secrets.get(target, []), key=lambda v: v.version[::-1])
            return tuple(
                Version(target, v.version, v.created, Key(v.value) if v.enabled else None)
                for v in stored
            )

        return await self.world.call("versions", every)

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> Put:
        def effect() -> Put:
            stored = self.world.put(target.id, key.reveal(), tags, expires)
            stored.enabled = target.enabled
            stored.content_type = target.content_type
            return Put(stored.version, stored.created)

        return await self.world.call("publish", effect, changes=True)

    async def disable(self, target: TargetId, version: str) -> None:
        def effect() -> None:
            for stored in self.world.secrets[target]:
                if stored.version == version:
                    stored.enabled = False

        await self.world.call("disable", effect, changes=True)


@dataclass
class WorldProbe:
    world: World

    async def try_key(self, account: Account, key: Key) -> Verdict:
        await asyncio.sleep(0)
        self.world.calls.append("probe")
        if not self.world.reachable:
            return Verdict(Answer.INCONCLUSIVE, "it cannot be reached")
        accepted = self.world.accepts_everything or self.world.accepts(key.reveal())
        if accepted:
            self.world.accepted_at_publish.add(key.reveal())
        return Verdict(Answer.ACCEPTED if accepted else Answer.REFUSED)

    async def try_random(self, account: Account, like: Key) -> Verdict:
        return await self.try_key(account, Key("random" * 10))


@dataclass
class WorldStore:
    world: World

    async def read(self, name: str) -> Document | None:
        def found() -> Document | None:
            document = self.world.documents.get(name)
            return Document(document[0], str(document[1])) if document else None

        return await self.world.call("journal-read", found)

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        def effect() -> str:
            present = self.world.documents.get(name)
            if (str(present[1]) if present else None) != etag:
                raise Conflict(name)
            number = next(self.world._serial)
            self.world.documents[name] = (body, number)
            return str(number)

        try:
            return await self.world.call("journal-write", effect, changes=True)
        except Unknown as exc:
            raise Transient(str(exc), code=exc.code) from None

    async def names(self) -> AsyncIterator[str]:
        for name in list(self.world.documents):
            yield name

    @asynccontextmanager
    async def lease(self, name: str, duration: timedelta) -> AsyncIterator[bool]:
        yield True


@dataclass
class WorldQueue:
    """Messages with the time from which they are visible."""

    world: World
    waiting: list[tuple[datetime, int, str]] = field(default_factory=list)

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        self.waiting.append((self.world.now + delay, next(self.world._serial), message))


@dataclass
class WorldNotifier:
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    async def send(self, event: Mapping[str, Any]) -> None:
        self.sent.append(event)


@dataclass
class Worker:
    """The product on this world, as one process; several may share a world and a queue."""

    world: World
    policy: Policy = field(default_factory=Policy)
    vaults: tuple[str, ...] = (VAULT,)
    queue: WorldQueue | None = None
    notifier: WorldNotifier = field(default_factory=WorldNotifier)

    def __post_init__(self) -> None:
        clock = Clock(lambda: self.world.now)
        vaults = WorldVaults(self.world, self.vaults)
        self.journal = Journal(WorldStore(self.world))
        inventory = Inventory(vaults, clock, max_age=timedelta())
        gatherer = Gatherer(
            WorldAccounts(self.world), vaults, WorldProbe(self.world), inventory, clock, self.policy
        )
        self.rotator = Rotator(gatherer, self.journal, self.notifier)
        self.queue = self.queue or WorldQueue(self.world)
        sweep = Sweep(inventory, self.journal, self.policy)
        self.triggers = Triggers(self.rotator, self.journal, inventory, vaults, self.queue, sweep)

    async def record(self, account: AccountId = ACCOUNT) -> Record:
        """The record as it is stored: looking is no call that a fault could hit."""
        document = self.world.documents.get(account.slug)
        return codec.load(Record, document[0]) if document else Record(account, "")

    async def visit(self, account: AccountId = ACCOUNT) -> Any:
        targets = tuple(
            t for t, v in self.world.secrets.items() if v and tags.enrolled(v[-1].tags) == account
        )
        return await self.triggers.visit(Visit(account, targets))

    async def _handle(self, message: str) -> None:
        """As the host: what fails comes back after 30 seconds, what crashes after 10 minutes."""
        assert self.queue is not None
        try:
            await self.triggers.message(message)
        except RotationError:
            await self.queue.put(message, timedelta(seconds=30))
        except Crash:
            await self.queue.put(message, timedelta(minutes=10))
            raise

    async def run(
        self, limit: timedelta, until: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        """Work through the queue in virtual time for at most this long."""
        assert self.queue is not None
        end = self.world.now + limit
        while self.queue.waiting and not (until and await until()):
            self.queue.waiting.sort()
            at, _, message = self.queue.waiting[0]
            if at > end:
                break
            self.queue.waiting.pop(0)
            self.world.advance(max(at - self.world.now, timedelta()))
            await self._handle(message)
        if self.world.now < end and not until:
            self.world.advance(end - self.world.now)


def start(world: World | None = None, **secret: Any) -> tuple[World, TargetId, Worker]:
    """The usual beginning: one account, one enrolled secret, one worker."""
    world = world or World()
    world.add_account()
    return world, world.add_secret(**secret), Worker(world)
