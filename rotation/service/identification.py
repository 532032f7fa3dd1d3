"""Tells to which account a key belongs that somebody has found.

The journal's fingerprints come first, because they need no call to Azure; then the values that the
secrets publish; then the keys of each account. The found key is neither stored nor logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.errors import RotationError, Transient
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Key, Slot
from ..domain.record import Record
from ..engine.inventory import Inventory
from ..ports import Accounts, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .queries import Queries
from .replies.identification import IdentificationReply, KeyUse
from .replies.reply import optional

TOO_OFTEN = "TooOften"

_AT_ONCE = 8  # calls
_SPAN = timedelta(minutes=1)
_MOST = 120  # requests in a span; a search of 10,000 accounts needs fewer


@dataclass(frozen=True)
class _Match:
    account: AccountId
    slot: Slot | None
    use: KeyUse


@dataclass
class Identification:
    """Searches in parts, so that a request ends in time; ``rate`` is in accounts per second."""

    queries: Queries
    inventory: Inventory
    vaults: Vaults
    accounts: Accounts
    clock: Clock
    rate: float
    seconds: float = 15
    _asked: list[datetime] = field(default_factory=list)

    async def identify(self, key: Key, done: int = 0) -> IdentificationReply:
        """Return the account of a key, or how far the search has come.

        ``done`` is ``checked`` of the reply before. Raises Transient if asked too often.
        """
        self._limit()
        records = await self.queries.records()
        if not done and (match := await self._remembered(key, records.values())):
            return _found(match, records, 0, 0)
        places = await self._places(records)
        part = places[done : done + max(int(self.rate * self.seconds), 1)]
        matches = await gather_limited((self._try(key, place) for place in part), _AT_ONCE)
        checked, unread = done + len(part), sum(one is _UNREAD for one in matches)
        match = next((one for one in matches if isinstance(one, _Match)), None)
        if match:
            return _found(match, records, checked, len(places))
        return IdentificationReply(
            found=False,
            is_complete=checked >= len(places),
            checked=checked,
            total=len(places),
            unread=unread,
        )

    def _limit(self) -> None:
        now = self.clock.now()
        self._asked = [at for at in self._asked if now - at < _SPAN]
        if len(self._asked) >= _MOST:
            raise Transient("too many keys to identify; wait a minute", code=TOO_OFTEN)
        self._asked.append(now)

    async def _remembered(self, key: Key, records: Iterable[Record]) -> _Match | None:
        """Return a match by the fingerprints of the records, confirmed by the account's keys."""
        for record in records:
            name = key.fingerprint(record.salt)
            if name in record.known_keys.values() or name in record.former:
                found = await self._by_keys(key, record.account)
                return found or _Match(record.account, None, KeyUse.FORMER)
        return None

    async def _places(self, records: Mapping[str, Record]) -> Sequence[TargetId | AccountId]:
        """Return the secrets and then the accounts to look at, in an order that stays the same."""
        listings = await self.inventory.listings()
        secrets = [secret for listing in listings for secret in listing.secrets]
        accounts = {s.account for s in secrets if s.account} | {r.account for r in records.values()}
        return [*sorted({s.target for s in secrets}), *sorted(accounts, key=str)]

    async def _try(self, key: Key, place: TargetId | AccountId) -> _Match | object | None:
        try:
            if isinstance(place, AccountId):
                return await self._by_keys(key, place)
            return await self._by_value(key, place)
        except RotationError:
            return _UNREAD

    async def _by_value(self, key: Key, target: TargetId) -> _Match | None:
        found = await self.vaults.get_secret(target)
        if found is None or found.value != key:
            return None
        account = self.inventory.remembered(target)
        return await self._by_keys(key, account) if account else None

    async def _by_keys(self, key: Key, account: AccountId) -> _Match | None:
        slot = (await self.accounts.keys(account)).slot_of(key)
        return _Match(account, slot, KeyUse.VALID) if slot else None


_UNREAD = object()


def _found(
    match: _Match, records: Mapping[str, Record], checked: int, total: int
) -> IdentificationReply:
    record = records.get(match.account.slug)
    return IdentificationReply(
        found=True,
        is_complete=True,
        account=str(match.account),
        slot=optional(match.slot),
        use=match.use,
        phase=optional(record.phase.value if record else None),
        checked=checked,
        total=total,
        unread=0,
    )
