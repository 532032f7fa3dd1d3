"""An event subscription and its filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

# A URL of a storage queue begins so.
QUEUE = "queue:"
MAX_ATTEMPTS, MAX_TTL = 30, 1440
SCHEMAS = ("eventgrid", "cloudevents")
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)


@dataclass
class Subscription:
    """An endpoint, the schema of its events, a filter by type and subject, and a retry policy.

    Event Grid gives up after ``max_attempts``, or when the event is ``ttl_minutes`` old.
    ``existing`` also delivers near-expiry events of versions older than the subscription. Azure
    does not (Key Vault, "Monitoring with Azure Event Grid").
    """

    url: str
    schema: str = "eventgrid"
    types: tuple[str, ...] = ()
    begins: str = ""
    ends: str = ""
    name: str = "KEYROT"
    created: datetime = _FIRST_MOMENT
    existing: bool = False
    max_attempts: int = MAX_ATTEMPTS
    ttl_minutes: int = MAX_TTL

    def __post_init__(self) -> None:
        if self.schema not in SCHEMAS:
            raise ValueError(f"schema {self.schema!r} is not one of {', '.join(SCHEMAS)}")
        if not 1 <= self.max_attempts <= MAX_ATTEMPTS or not 1 <= self.ttl_minutes <= MAX_TTL:
            raise ValueError(f"a policy has 1 to {MAX_ATTEMPTS} attempts and {MAX_TTL} minutes")

    @property
    def queue(self) -> str:
        """The name of the storage queue that the events go to, or empty for a webhook."""
        return self.url.removeprefix(QUEUE) if self.url.startswith(QUEUE) else ""

    def accepts(self, event_type: str, subject: str) -> bool:
        """Return whether the filter lets an event through; subjects compare without case."""
        types, folded = self.types, subject.lower()
        right_type = not types or event_type in types or event_type.rpartition(".")[2] in types
        begins, ends = self.begins.lower(), self.ends.lower()
        return right_type and folded.startswith(begins) and folded.endswith(ends)
