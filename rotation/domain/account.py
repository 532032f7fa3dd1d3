"""An Azure AI account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .ids import AccountId


@dataclass(frozen=True)
class Account:
    """An account as ARM returns it. ``endpoints`` maps API names to URLs and may be empty.

    ``location`` is its region, or ``global``.
    """

    id: AccountId
    kind: str
    endpoint: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    local_auth_disabled: bool = False
    provisioning_state: str = "Succeeded"
    location: str = ""
