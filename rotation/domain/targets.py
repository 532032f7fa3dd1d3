"""Secrets of Key Vault: enrolment, versions and listings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .ids import AccountId, TargetId
from .keys import Key, Slot
from .window import Window


@dataclass(frozen=True)
class Enrolment:
    """A secret's rotation settings. If there are ``problems``, scheduled rotations are on hold."""

    account: AccountId
    validity: timedelta | None = None
    claimed: Slot | None = None
    overlap: timedelta | None = None
    minimum_interval: timedelta | None = None
    window: Window | None = None
    paused: bool = False
    consumers: tuple[str, ...] = ()
    format: str = ""
    rotation: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """The latest version of an enrolled secret; ``value`` is None if it is disabled.

    ``tagged``: that version carries our tags. ``readable``: it could be read; otherwise only the
    secret's name is known.
    """

    id: TargetId
    version: str
    value: Key | None
    created: datetime
    expires: datetime | None
    content_type: str | None
    tags: Mapping[str, str]
    enrolment: Enrolment
    tagged: bool = True
    readable: bool = True

    @property
    def enabled(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class Version:
    """One version of a target; ``value`` is None if it is disabled."""

    target: TargetId
    version: str
    created: datetime
    value: Key | None


@dataclass(frozen=True, slots=True)
class ListedSecret:
    """A secret as a vault lists it: its latest version without the value.

    ``account`` is None if the secret is not enrolled, or if its enrolment has a ``problem``.
    """

    target: TargetId
    account: AccountId | None
    expires: datetime | None = None
    problem: str = ""
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    enabled: bool = True
    updated: datetime | None = None

    @property
    def is_enrolled(self) -> bool:
        """Return whether the tags enrol the secret, correctly or not."""
        return self.account is not None or bool(self.problem)


@dataclass(frozen=True)
class VersionInfo:
    """One version of a secret without its value."""

    version: str
    created: datetime
    expires: datetime | None
    enabled: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    updated: datetime | None = None


@dataclass(frozen=True)
class SecretSnapshot:
    """The latest version of any secret; ``value`` is None if it is disabled.

    ``former_tags`` are the tags of the newest version that carries ours, if the latest does not.
    """

    id: TargetId
    version: str
    value: Key | None
    created: datetime
    expires: datetime | None = None
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    former_tags: Mapping[str, str] | None = None
    updated: datetime | None = None


@dataclass(frozen=True)
class SecretRead:
    """A logged read of a secret; ``version`` is None if the log does not contain it.

    ``resource`` is the ARM id of a managed identity or of its app, if the log contains it.
    """

    identity: str
    version: str | None
    at: datetime
    resource: str = ""
