"""When a rotation is due, and what holds a due one back. Emergencies and repairs ask neither."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ..domain.ids import TargetId
from ..domain.policy import Policy
from ..domain.request import Request, RequestKind
from .actions import Action, wait
from .facts import Facts

_LONG_AGO = datetime.fromtimestamp(0, UTC)


def next_due(f: Facts) -> tuple[datetime, str]:
    """When the account is due and why: the earliest of its targets, or now by request."""
    asked = active_request(f)
    if asked:
        return f.now, asked.reason
    dates = [(due_at(t.id, t.created, t.expires, f.policy), t) for t in f.targets]
    at, target = min(dates, key=lambda pair: pair[0])
    if target.expires is None:
        return at, f"{target.id.name} has no expiry"
    if at > f.now:
        return at, f"next rotation {at:%F}; {target.id.name} expires {target.expires:%F}"
    return at, f"{target.id.name} expires {target.expires:%F}"


def due_at(
    secret: TargetId, created: datetime | None, expires: datetime | None, policy: Policy
) -> datetime:
    """Return when a secret's rotation is due: at once if it has no expiry.

    A stable part of the spread is subtracted, so that many secrets do not fall due at once.
    """
    if expires is None:
        return created or _LONG_AGO
    return expires - policy.lead - policy.spread * _spread_fraction(secret)


@lru_cache(maxsize=16384)
def _spread_fraction(target: TargetId) -> float:
    """Return a stable number from 0 to 1 for each secret."""
    digest = hashlib.sha256(str(target).lower().encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def active_request(f: Facts) -> Request | None:
    """A request that still stands: a person's, or an event for a version that is the latest."""
    return next((w for w in f.record.requests if is_current(f, w)), None)


def is_current(f: Facts, w: Request) -> bool:
    """An event for a version that has given way to a newer one asks for nothing any more."""
    if w.kind is RequestKind.MANUAL:
        return True
    versions = {(t.id.name.lower(), t.version.lower()) for t in f.targets}
    secret, version = (w.secret or "").lower(), (w.version or "").lower()
    return w.kind is RequestKind.EXPIRY and (secret, version) in versions


def postpone(f: Facts) -> Action | None:
    """The reason why a due rotation waits, and until when."""
    return _interval(f) or _window(f)


def _interval(f: Facts) -> Action | None:
    """The breaker against loops: not soon after our own last publish. A person may override."""
    asked = active_request(f)
    if asked and asked.kind is RequestKind.MANUAL:
        return None
    ours = [t.created for t in f.targets if t.enrolment.rotation]
    published = max(
        [*ours, *([f.record.published_at] if f.record.published_at else [])], default=None
    )
    if published is None or published + f.effective_policy.minimum_interval <= f.now:
        return None
    until = published + f.effective_policy.minimum_interval
    return wait(f, f"rotated {published:%F %H:%MZ}; the minimum interval is not over", until)


def _window(f: Facts) -> Action | None:
    """Scheduled rotations keep to their window unless the deadline would pass before it opens."""
    asked = active_request(f)
    if f.effective_policy.window is None or (asked and asked.kind is RequestKind.MANUAL):
        return None
    opens = f.effective_policy.window.next_opening(f.now)
    if opens <= f.now or opens >= _deadline(f):
        return None
    return wait(f, "outside the rotation window", opens)


def _deadline(f: Facts) -> datetime:
    expiries = [t.expires for t in f.targets if t.expires is not None]
    return min(expiries, default=f.now + timedelta(days=30))
