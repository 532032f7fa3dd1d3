"""The nouns of rotation, as frozen data. Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from .window import Window


def target_id(text: str) -> TargetId:
    """The reverse of ``str(TargetId)``."""
    vault, _, name = text.partition("/secrets/")
    return TargetId(vault, name)


@dataclass(frozen=True)
class Enrolment:
    """A secret's wish to be rotated. With ``problems`` it is held, and they say what to write."""

    account: AccountId
    validity: timedelta | None = None
    claimed: Slot | None = None
    overlap: timedelta | None = None
    minimum_interval: timedelta | None = None
    window: Window | None = None
    paused: bool = False
    rotation: str | None = None
    problems: tuple[str, ...] = ()


class Slot(StrEnum):
    """One of an account's two keys, spelled as ARM wants it (it is case-sensitive)."""

    KEY1 = "Key1"
    KEY2 = "Key2"

    @property
    def other(self) -> Slot:
        return Slot.KEY2 if self is Slot.KEY1 else Slot.KEY1


class Key:
    """Key material that no log, exception or repr can show by accident."""

    __slots__ = ("_named", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._named: tuple[str, str] | None = None

    def reveal(self) -> str:
        """The key itself: only for the wire."""
        return self._value

    def fingerprint(self, salt: str) -> str:
        """A name for the key that can be stored: HMAC-SHA256 under the account's salt."""
        if self._named is None or self._named[0] != salt:
            name = hmac.digest(salt.encode(), self._value.encode(), "sha256").hex()[:32]
            self._named = (salt, name)
        return self._named[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> str:
        raise TypeError("a key is not to be pickled or copied")


@dataclass(frozen=True)
class Keys:
    """Both keys of an account, as ARM showed them."""

    key1: Key
    key2: Key

    def __getitem__(self, slot: Slot) -> Key:
        return self.key1 if slot is Slot.KEY1 else self.key2

    def slot_of(self, key: Key | None) -> Slot | None:
        """The slot that holds this value, or None where neither does."""
        if key == self.key1:
            return Slot.KEY1
        return Slot.KEY2 if key == self.key2 else None


_ACCOUNT = re.compile(
    r"/?subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/"
    r"microsoft\.cognitiveservices/accounts/([a-z0-9][a-z0-9_.-]{1,63})/?",
)


@dataclass(frozen=True, order=True)
class AccountId:
    """An Azure AI account, in lower case because ARM ids compare without case."""

    subscription: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> AccountId:
        """From an ARM resource id. Raises ValueError with what to write instead."""
        return _parsed(text)

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.CognitiveServices/accounts/{self.name}"
        )

    @property
    def slug(self) -> str:
        """A short, stable name for documents and operation ids."""
        return _slug(str(self))


# A sweep reads the same ten thousand addresses every time.
@lru_cache(maxsize=16384)
def _parsed(text: str) -> AccountId:
    match = _ACCOUNT.fullmatch(text.strip().lower())
    if not match:
        raise ValueError(
            f"{text[:200]!r} is not the resource id of an Azure AI account; write "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…"
        )
    return AccountId(*match.groups())


@lru_cache(maxsize=16384)
def _slug(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]


@dataclass(frozen=True, order=True)
class TargetId:
    """A secret: its vault's URL (``https://kv.vault.azure.net``) and its name."""

    vault: str
    name: str

    def __str__(self) -> str:
        return f"{self.vault}/secrets/{self.name}"


@dataclass(frozen=True)
class Account:
    """What ARM says of an account. ``endpoints`` maps API names to URLs and may be empty."""

    id: AccountId
    kind: str
    endpoint: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    local_auth_disabled: bool = False
    provisioning_state: str = "Succeeded"


@dataclass(frozen=True)
class Target:
    """The latest version of an enrolled secret. ``value`` is None where it is disabled."""

    id: TargetId
    version: str
    value: Key | None
    created: datetime
    expires: datetime | None
    content_type: str | None
    tags: Mapping[str, str]
    enrolment: Enrolment

    @property
    def enabled(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class Version:
    """One version of a target; ``value`` is None where it cannot be read (disabled)."""

    target: TargetId
    version: str
    created: datetime
    value: Key | None


class ProbeResult(StrEnum):
    """What a probe of the data plane proved about a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class ProbeVerdict:
    """A probe's answer and why, in words for a person."""

    result: ProbeResult
    detail: str = ""
