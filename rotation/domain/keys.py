"""An account's keys and their slots."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum


class Slot(StrEnum):
    """One of an account's two keys, in the spelling that ARM requires."""

    KEY1 = "Key1"
    KEY2 = "Key2"

    @property
    def other(self) -> Slot:
        return Slot.KEY2 if self is Slot.KEY1 else Slot.KEY1


class Key:
    """Key material. Its repr is masked, and it cannot be pickled."""

    __slots__ = ("__weakref__", "_named", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._named: tuple[str, str] | None = None

    def reveal(self) -> str:
        """Return the key itself, only to send it."""
        return self._value

    def fingerprint(self, salt: str) -> str:
        """Return a name for the key that can be stored: HMAC-SHA256 with the account's salt."""
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
        raise TypeError("a key must not be pickled or copied")


@dataclass(frozen=True)
class Keys:
    """Both keys of an account, as ARM returned them."""

    key1: Key
    key2: Key

    def __getitem__(self, slot: Slot) -> Key:
        return self.key1 if slot is Slot.KEY1 else self.key2

    def slot_of(self, key: Key | None) -> Slot | None:
        """Return the slot that holds this value, or None."""
        if key == self.key1:
            return Slot.KEY1
        return Slot.KEY2 if key == self.key2 else None
