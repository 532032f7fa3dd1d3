"""Compares the vaults' listings with the journal's: which accounts need a visit, and why.

Listings come one by one, and nothing is kept of the secrets of an account that stands as its last
visit left it: a fleet may have 100,000 of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain import standing
from ..domain.document import Entry
from ..domain.ids import AccountId
from ..domain.policy import Policy
from ..domain.standing import Shown
from ..domain.targets import ListedSecret
from ..engine.inventory import Listing

# The longest time between two looks at an account at rest.
LONGEST = timedelta(hours=6)


@dataclass(frozen=True)
class Checks:
    """The times at which accounts at rest are looked at: all evenly spread over ``every``.

    ``since`` is the end of the last sweep; what fell due since then is due now.
    """

    every: timedelta
    since: datetime
    now: datetime

    def is_due(self, slug: str) -> bool:
        """Return whether the time of an account has come since the last sweep."""
        every = self.every.total_seconds()
        offset = int(slug, 16) / float(16 ** len(slug)) * every
        before, now = ((at.timestamp() - offset) // every for at in (self.since, self.now))
        return before != now


def checks(
    accounts: int, a_sweep: float, period: timedelta, last: datetime | None, now: datetime
) -> Checks:
    """Return when accounts at rest are looked at, if a sweep has time for ``a_sweep`` of them.

    Up to so many, each sweep looks at all. Beyond that they take turns, for 6 h at most.
    """
    sweeps = max(1, min(math.ceil(accounts / max(a_sweep, 1)), LONGEST // period))
    every = sweeps * period
    since = last if last and sweeps > 1 and last <= now else now - period
    return Checks(every, max(since, now - every), now)


@dataclass
class Comparison:
    """Takes the listings of all vaults, and has the accounts that need a visit.

    ``index`` is the journal's listing by slug. ``changed`` need a visit; of these ``awake`` only
    because the time has come that they waited for. ``routine`` are at rest, and their turn has
    come. ``problems`` are those of vaults and tags.
    """

    index: Mapping[str, Entry]
    policy: Policy
    checks: Checks
    problems: list[str] = field(default_factory=list)
    changed: dict[AccountId, list[ListedSecret]] = field(default_factory=dict)
    awake: set[AccountId] = field(default_factory=set)
    routine: dict[AccountId, list[ListedSecret]] = field(default_factory=dict)
    _traces: dict[str, int] = field(default_factory=dict)
    _matching: set[str] = field(default_factory=set)

    @property
    def listed(self) -> set[str]:
        """The slugs of all accounts that a vault lists."""
        return self._matching | self._traces.keys()

    def take(self, listing: Listing) -> None:
        """Take the listing of one more vault."""
        if listing.error is not None:
            self.problems.append(listing.error.advice)
        found: dict[AccountId, list[ListedSecret]] = {}
        for secret in listing.secrets:
            if secret.account is None:
                self.problems.append(f"{secret.target}: {secret.problem}")
            else:
                found.setdefault(secret.account, []).append(secret)
        for account, secrets in found.items():
            self._take(account, secrets)

    def _take(self, account: AccountId, secrets: list[ListedSecret]) -> None:
        entry = self.index.get(account.slug)
        slug = entry.name if entry else account.slug
        found = standing.parse(entry.index) if entry else None
        traces = self._traces.pop(slug, 0) + sum(standing.trace(shown(s)) for s in secrets)
        if slug in self._matching and found:
            traces += found.shown - standing.total((), self.policy)
        known = [*self.changed.pop(account, ()), *self.routine.pop(account, ()), *secrets]
        self.awake.discard(account)
        if found is None or standing.total([traces], self.policy) != found.shown:
            self._matching.discard(slug)
            self._traces[slug] = traces
            self.changed[account] = known
            return
        self._matching.add(slug)
        if found.wake <= self.checks.now:
            self.changed[account] = known
            self.awake.add(account)
        elif self.checks.is_due(slug):
            self.routine[account] = known


def shown(s: ListedSecret) -> Shown:
    """Return what the listing shows of a secret."""
    return Shown(s.target, s.enabled, s.created, s.updated, s.expires, s.content_type, s.tags)
