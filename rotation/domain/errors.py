"""Exceptions, named by what the caller must do.

    RotationError
    ├── Transient       nothing happened; try again after a delay
    │   └── Conflict    someone else changed the record first; read it again
    ├── Permanent       a person must change something; the remedy says what
    │   └── Unreadable  a document of the journal is not what this version writes
    └── Unknown         the effect may or may not have happened; reconcile before going on

Messages are shown to people and leave the process: they never hold key material. For that
reason adapters raise these ``from None``: an SDK's exception may quote a body with a key in it.
"""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import Path
from typing import TypeVar


def unenrolled(what: str) -> Permanent:
    """Return the error for a secret or account that is not enrolled."""
    return Permanent(
        f"{what} is not enrolled in a configured vault",
        code="NotEnrolled",
        remedy="set the tags ProviderAddress and ValidityPeriodDays on its secret",
    )


# ARM's codes for an account that does not exist.
NO_SUCH_ACCOUNT = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"})


class RotationError(Exception):
    """Base of all expected failures; ``code`` is a stable, searchable word.

    ``of_service``: the service itself fails, because of its identity or its storage, so every
    account fails alike. All other errors are those of one account, vault or secret.
    """

    of_service = False

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).__name__

    @property
    def advice(self) -> str:
        """The message, with the remedy if there is one."""
        return str(self)


class Transient(RotationError):
    """Nothing happened. ``retry_after`` is the delay that the service asked for, if any."""

    def __init__(
        self, message: str, *, code: str = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Conflict(Transient):
    """A compare-and-swap lost: the document changed since it was read."""


class Permanent(RotationError):
    """Will fail again until a person acts. ``remedy`` says what to do."""

    def __init__(self, message: str, *, code: str, remedy: str) -> None:
        super().__init__(message, code=code)
        self.remedy = remedy

    @property
    def advice(self) -> str:
        return f"{self}; {self.remedy}"


class Unreadable(Permanent):
    """A document of the journal cannot be read.

    ``newer``: a newer version of this service wrote it, so that it is never replaced.
    """

    def __init__(self, name: str, *, newer: bool) -> None:
        self.newer = newer
        if newer:
            super().__init__(
                f"a newer version of this service wrote the journal's document {name}",
                code="JournalNewer",
                remedy="deploy the newer version again; this version leaves the document as it is",
            )
        else:
            super().__init__(
                f"the journal's document {name} cannot be read",
                code="JournalUnreadable",
                remedy="restore it from a backup; otherwise a new one replaces it in 15 minutes",
            )


class Unknown(RotationError):
    """The request was sent and its outcome is not known."""


E = TypeVar("E", bound=RotationError)


def of_service(exc: E) -> E:
    """Mark an error as a fault of the service itself."""
    exc.of_service = True
    return exc


def unexpected(exc: Exception) -> Permanent:
    """Wrap an unexpected exception without its message, which might contain a key."""
    frames = traceback.extract_tb(exc.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Permanent(
        f"unexpected {type(exc).__name__} at {where}",
        code="Unexpected",
        remedy="report this error; the account will be retried",
    )
