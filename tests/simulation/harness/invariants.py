"""The invariants, and how often each one was evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Violation(BaseException):
    """An invariant is broken. Not an Exception, so that nothing in the product catches it."""


class Invariant(StrEnum):
    """The guarantees of docs/reliability.md, as they are checked."""

    PUBLISHED_KEY_KEPT = "the published key is never regenerated"
    NO_BROKEN_SECRET = "nothing is regenerated while a published key does not work"
    OVERLAP_KEPT = "an old key works until its overlap is over"
    INTENT_STORED = "an intent is stored before each regenerate"
    DAILY_CAP = "an account has at most its daily cap of regenerates, except in an emergency"
    NO_REPEATED_REGENERATE = "an operation regenerates a slot again only after an unknown outcome"
    FEW_REGENERATES = "a scenario needs at most two regenerates, and one more for each fault"
    KEY_VERIFIED = "a key is verified before it is published"
    KEY_IS_CURRENT = "a published value is a key of the account"
    KEY_WORKS = "a published key works"
    LIVE_VERSION_KEPT = "a version with a current key is never disabled"
    LATEST_VERSION_KEPT = "the latest version is never disabled"
    NO_KEY_IN_TAGS = "no tag contains a key"
    NO_KEY_IN_JOURNAL = "the journal contains no key"
    NO_KEY_IN_EVENTS = "no event contains a key"
    NO_KEY_IN_REPLIES = "no reply of the API contains a key"
    OLD_KEY_REFUSED = "an operation that reports the old key as refused is right"
    LEAKED_KEY_REVOKED = "a key that was reported as leaked is revoked at the end"
    OLD_KEY_REVOKED = "a rotation revokes the old key"
    CONSUMER_SERVED = "a consumer that reads within the overlap has a key that works"
    CONVERGES = "every operation ends soon after the last fault"
    WORKS_AT_REST = "once everything has ended, each published key works"
    ONE_KEY_PUBLISHED = "all secrets of an account publish one key"
    STABLE_AT_REST = "nothing changes after the last operation has ended"
    REVOKED_IS_TRUE = "an emergency that says revoked is right"
    SUCCESSOR_PUBLISHED = "an emergency publishes the successor wherever it can before it revokes"
    OTHERS_SPARED = "an emergency revokes no published key that was not leaked"
    KEY_BOUND = "a secret receives only keys of accounts that it is bound to"
    FOREIGN_KEPT = "a foreign value is never overwritten"
    FOREIGN_NOT_SENT = "a foreign value is sent to no data plane"
    FOREIGN_NOT_STORED = "the journal contains no foreign value and no fingerprint of one"
    STAYS_ENROLLED = "an enrolled secret stays enrolled until an explicit act"
    ISOLATED = "a neighbour changes nothing for another team"
    EMERGENCY_ACCEPTED = "an emergency of a known account is never refused"
    EMERGENCY_ROLE = "only the Emergency role ends an emergency"
    EMERGENCY_ENDS = "every accepted emergency ends"
    ONE_EMERGENCY = "a repeated Idempotency-Key names the same emergency"
    API_EXPLAINS = "the API never answers with an unexpected error"
    NO_POISON_MESSAGE = "no message ends in the poison queue"


@dataclass
class Invariants:
    """Evaluates invariants and counts: one that is never evaluated must not seem to hold."""

    evaluated: Counter[Invariant] = field(default_factory=Counter)
    excused: Counter[Invariant] = field(default_factory=Counter)

    def require(
        self, invariant: Invariant, holds: bool, message: str, *, excused: bool = False
    ) -> None:
        """Count an evaluation. Raises Violation with the message if it does not hold.

        An excused check is counted apart, whether it holds or not.
        """
        if excused:
            self.excused[invariant] += 1
            return
        self.evaluated[invariant] += 1
        if not holds:
            raise Violation(message)


def never_evaluated(
    evaluated: Counter[Invariant], wanted: Iterable[Invariant] = Invariant
) -> list[Invariant]:
    """Return the invariants that no run has evaluated."""
    return [invariant for invariant in wanted if not evaluated[invariant]]
