"""An event subscription and its filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SCHEMAS = ("eventgrid", "cloudevents")
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)


@dataclass
class Subscription:
    """An endpoint, the schema of its events, and a filter by type and subject.

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

    def __post_init__(self) -> None:
        if self.schema not in SCHEMAS:
            raise ValueError(f"schema {self.schema!r} is not one of {', '.join(SCHEMAS)}")

    def accepts(self, event_type: str, subject: str) -> bool:
        """Return whether the filter lets an event through; subjects compare without case."""
        types, folded = self.types, subject.lower()
        right_type = not types or event_type in types or event_type.rpartition(".")[2] in types
        begins, ends = self.begins.lower(), self.ends.lower()
        return right_type and folded.startswith(begins) and folded.endswith(ends)
