"""Schedule: the due time of a rotation, and its delays. Not for emergencies and repairs."""

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
    """Return when the account is due and why: now if requested, else for its earliest target."""
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
    """Return the first manual request, or event about a latest version, if any."""
    return next((w for w in f.record.requests if is_current(f, w)), None)


def is_current(f: Facts, request: Request) -> bool:
    """Return whether a request is manual, or an event about a version that is still the latest."""
    if request.kind is RequestKind.MANUAL:
        return True
    versions = {(t.id.name.lower(), t.version.lower()) for t in f.targets}
    secret, version = (request.secret or "").lower(), (request.version or "").lower()
    return request.kind is RequestKind.EXPIRY and (secret, version) in versions


def postpone(f: Facts) -> Action | None:
    """Return the wait of a due rotation, or None if it may begin now."""
    return _interval(f) or _window(f)


def _interval(f: Facts) -> Action | None:
    """Circuit breaker: keep the minimum interval after a publish, except for manual requests."""
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
    """Hold scheduled rotations until their window, unless a secret expires before it opens."""
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
