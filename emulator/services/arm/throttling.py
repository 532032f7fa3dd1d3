"""ARM's throttling: token buckets, and the headers that show what is left of them.

"Throttling Resource Manager requests": a bucket for each principal and subscription, and one for
each subscription that all its principals share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ...core.rate_limits import Bucket
from .errors import ArmError

# Size, and tokens gained each second.
LIMITS = {"reads": (250.0, 25.0), "writes": (200.0, 10.0)}
SHARED = 15


@dataclass
class Throttling:
    """All buckets; ``enforced`` false only counts, and refuses nothing."""

    enforced: bool = True
    buckets: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)

    def spend(self, kind: str, principal: str, subscription: str, now: datetime) -> dict[str, str]:
        """Take one token; return the headers. Raises ArmError with status 429 if none is left.

        ``kind`` is reads or writes. A request outside any subscription spends the tenant's tokens.
        """
        own = self._bucket(kind, principal, subscription, now)
        shared = self._bucket(kind, "", subscription, now)
        level = "subscription" if subscription else "tenant"
        prefix = f"x-ms-ratelimit-remaining-{level}-"
        names = (prefix + kind, f"{prefix}global-{kind}")
        if self.enforced:
            for name, bucket in zip(names, (own, shared), strict=True):
                if not bucket.take(now):
                    raise _throttled(kind, level, name, bucket)
        return dict(zip(names, (str(int(own.left)), str(int(shared.left))), strict=True))

    def _bucket(self, kind: str, principal: str, subscription: str, now: datetime) -> Bucket:
        key = (kind, principal, subscription.lower())
        if key not in self.buckets:
            factor = 1 if principal else SHARED
            size, refill = (number * factor for number in LIMITS[kind])
            self.buckets[key] = Bucket(size, refill, size, now)
        return self.buckets[key]


def _throttled(kind: str, level: str, header: str, bucket: Bucket) -> ArmError:
    text = f"Number of {kind} for the {level} exceeded the limit."
    headers = {header: "0", "Retry-After": str(bucket.wait)}
    return ArmError(429, f"{level.capitalize()}RequestsThrottled", text, **headers)
