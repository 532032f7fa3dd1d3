"""A block blob: data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .leases import Lease

METADATA = "x-ms-meta-"


@dataclass
class Blob:
    """A block blob; ``metadata`` has the headers with their prefix."""

    body: bytes
    etag: str
    created: datetime
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    lease: Lease = field(default_factory=Lease)
