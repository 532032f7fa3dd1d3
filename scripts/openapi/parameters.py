"""The parameters of the routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rotation.service.replies.rotation import RotationState

_TEXT = {"type": "string"}

_SEGMENT = {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Parameter:
    """One parameter; those of the path are required."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the OpenAPI parameter object."""
        required = {"required": True} if self.place == "path" else {}
        described = {"description": self.description, "schema": dict(self.schema)}
        return {"name": self.name, "in": self.place, **required, **described}


def _segment(name: str, description: str, **schema: Any) -> Parameter:
    return Parameter(name, "path", description, _SEGMENT | schema)


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "A repeated request with the same key returns the same operation.",
    _TEXT | {"pattern": "^[!-~]{1,100}$"},
)
PREFER = Parameter(
    "Prefer",
    "header",
    "With wait=60, wait up to 60 seconds for the outcome. The maximum is 100 seconds.",
    _TEXT,  # a preference that is not known is ignored (RFC 7240)
)

STATE = Parameter(
    "state",
    "query",
    "Return only rotations in this state.",
    _TEXT | {"enum": [state.value for state in RotationState]},
)
ACCOUNT = Parameter(
    "account", "query", "Return only rotations of the account with this ARM resource id.", _TEXT
)
BATCH = Parameter("batch", "query", "Return only rotations that were requested together.", _TEXT)
BATCH_TO_CANCEL = Parameter("batch", "query", "The batch in the reply to its request.", _TEXT)
REASON = Parameter("reason", "query", "The reason, for the audit trail.", _TEXT)

ID = _segment(
    "id", "The id in the reply of POST /api/rotations.", pattern="^[0-9a-f]{16}-[0-9a-z]{4,40}$"
)
ANSWER = _segment("answer", "The action.", enum=["resume", "abandon"])
HOLD = _segment("hold", "The action.", enum=["pause", "resume"])
VAULT = _segment("vault", "A configured vault's name.", pattern="^[A-Za-z0-9-]+$", maxLength=24)
SECRET = _segment("secret", "The secret's name.", pattern="^[A-Za-z0-9-]+$", maxLength=127)
SLUG = _segment(
    "slug",
    "The account's id in GET /api/secrets: 16 hexadecimal digits.",
    pattern="^[0-9a-f]{16}$",
)

SINCE = Parameter(
    "since",
    "query",
    "Only operations that ended at this time or later.",
    _TEXT | {"format": "date-time"},
)

DONE = Parameter(
    "done",
    "query",
    "checked of the reply before; 0 reads the accounts in parts.",
    {"type": "integer", "minimum": 0},
)
AFTER = Parameter("after", "query", "next of the page before.", _TEXT)
