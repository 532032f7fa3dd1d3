"""Bindings: which account's key may be published in which secret.

The setting ``ROTATION_BINDINGS`` is a comma-separated list of ``vault[/secret pattern]=scope``. The
scope is the resource id of an account, a resource group or a subscription. Tags on a secret, our
own records and knowing a key never grant anything; a binding decides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from .ids import AccountId, TargetId
from .redaction import redact

EXAMPLE = (
    "kv-a=/subscriptions/…/resourceGroups/rg-a, or "
    "kv-b/team-b-*=/subscriptions/…/providers/Microsoft.CognitiveServices/accounts/acct-b"
)

_PATTERN = re.compile(r"[0-9a-z*-]{1,127}")
_NAME = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_SCOPE = re.compile(
    r"/subscriptions/[a-z0-9][a-z0-9-]{0,63}"
    r"(?:/resourcegroups/[\w().-]{0,89}[\w()-]"
    r"(?:/providers/microsoft\.cognitiveservices/accounts/[a-z0-9][a-z0-9_.-]{1,63})?)?"
)


class Bound(StrEnum):
    """The binding of a secret to an account.

    ``NAMED``: an entry names the secret (by a pattern) or the account. ``BROAD``: an entry covers
    both, but names neither. ``UNDECIDED``: the vault was not listed completely since an upgrade.
    """

    NAMED = "named"
    BROAD = "broad"
    NONE = "none"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Place:
    """Secrets of one vault, in lower case. Without ``pattern`` it covers the whole vault."""

    vault: str
    pattern: str | None = None

    def covers(self, target: TargetId) -> bool:
        """Return whether a secret is in this place."""
        return self.vault == target.vault.lower() and _matches(self.pattern, target.name.lower())


@dataclass(frozen=True)
class Entry:
    """One entry of the setting, in lower case. Without ``pattern`` it covers the whole vault."""

    vault: str
    scope: str
    pattern: str | None = None

    def covers(self, target: TargetId, account: AccountId) -> bool:
        """Return whether both the secret and the account match. Paths match by whole segments."""
        return self.is_of(account) and Place(self.vault, self.pattern).covers(target)

    def is_of(self, account: AccountId) -> bool:
        """Return whether the account is in the scope."""
        return f"{account}/".lower().startswith(f"{self.scope}/")

    @property
    def names_one(self) -> bool:
        """Return whether it names a secret pattern or an account, not only a vault and a group."""
        return self.pattern is not None or "/accounts/" in self.scope


@dataclass(frozen=True)
class Bindings:
    """The bindings in force.

    ``entries`` is None if the setting was never set. Then a single vault is bound to every account,
    and of several vaults those pairs are bound that were rotated before (``frozen``; a vault is
    missing there until its first complete listing). ``admits`` is False while an invalid setting
    keeps the last good one in force: no new pair is admitted.
    """

    entries: tuple[Entry, ...] | None = None
    single_vault: bool = False
    frozen: tuple[tuple[str, frozenset[tuple[TargetId, AccountId]]], ...] = ()
    admits: bool = True

    def of(self, target: TargetId, account: AccountId) -> Bound:
        """Return the binding of ``target`` to ``account``."""
        if self.entries is not None:
            of_vault = self._by_vault.get(target.vault.lower(), ())
            return _strongest(e for e in of_vault if e.covers(target, account))
        if self.single_vault:
            return Bound.BROAD
        if self.is_undecided(target.vault):
            return Bound.UNDECIDED
        return Bound.BROAD if (target, account) in dict(self.frozen)[target.vault] else Bound.NONE

    def may_hold(self, vault: str, account: AccountId) -> bool:
        """Return whether a secret of the vault can be bound to ``account``."""
        if self.entries is not None:
            return any(entry.is_of(account) for entry in self._by_vault.get(vault.lower(), ()))
        if self.single_vault or self.is_undecided(vault):
            return True
        return any(owner == account for _, owner in dict(self.frozen)[vault])

    @cached_property
    def _by_vault(self) -> Mapping[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries or ():
            found[entry.vault].append(entry)
        return found

    def names(self, account: AccountId) -> bool:
        """Return whether an entry or a frozen pair names the account itself, not only its group."""
        if any(entry.scope == str(account).lower() for entry in self.entries or ()):
            return True
        return any(owner == account for _, pairs in self.frozen for _, owner in pairs)

    @property
    def subscriptions(self) -> frozenset[str]:
        """The subscriptions that entries name."""
        return frozenset(entry.scope.split("/")[2] for entry in self.entries or ())

    @property
    def are_frozen(self) -> bool:
        """Return whether there never was a setting, and there are several vaults."""
        return self.entries is None and not self.single_vault

    @property
    def are_lost(self) -> bool:
        """Return whether there is neither a setting nor a list of bound pairs."""
        return self.are_frozen and not self.frozen

    def is_undecided(self, vault: str) -> bool:
        """Return whether the vault waits for its first complete listing since the upgrade."""
        return self.are_frozen and vault not in dict(self.frozen)


def not_bound(target: TargetId, account: AccountId) -> str:
    """Return why a secret is refused a key, with both sides and the fix."""
    return (
        f"{target} asks for the key of {account}, to which it is not bound: correct its tag "
        "ProviderAddress or, if that account is meant, bind them in ROTATION_BINDINGS"
    )


def _strongest(entries: Iterable[Entry]) -> Bound:
    found = [entry.names_one for entry in entries]
    if not found:
        return Bound.NONE
    return Bound.NAMED if any(found) else Bound.BROAD


def parse(text: str, vaults: tuple[str, ...]) -> tuple[Entry, ...]:
    """Parse the setting. Raises ValueError that names every problem at once."""
    entries: list[Entry] = []
    problems: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        try:
            entries.append(_entry(part, vaults))
        except ValueError as exc:
            problems.append(str(exc))
    problems += _mixed(entries)
    if not entries and not problems:
        problems.append(f"no entry; write {EXAMPLE}")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(dict.fromkeys(entries))


def _entry(part: str, vaults: tuple[str, ...]) -> Entry:
    place, equals, scope = part.lower().partition("=")
    if not equals:
        raise ValueError(f"{redact(part)!r} is not vault=scope; write {EXAMPLE}")
    found = place_of(place.strip(), vaults)
    scope = scope.strip().rstrip("/")
    if not _SCOPE.fullmatch(scope):
        raise ValueError(
            f"{redact(scope)!r} is not the resource id of an account, a resource group or a "
            f"subscription; write {EXAMPLE}"
        )
    return Entry(found.vault, scope, found.pattern)


def place_of(place: str, vaults: tuple[str, ...]) -> Place:
    """Parse ``vault[/secret pattern]`` in lower case. Raises ValueError."""
    if place.startswith("https://"):
        parts = urlsplit(place)
        name, rest = parts.netloc, parts.path.strip("/").removeprefix("secrets/")
    else:
        name, _, rest = place.partition("/")
    found = _by_name(vaults).get(name, ())
    if len(found) != 1 or not _NAME.fullmatch(name.partition(".")[0]):
        raise ValueError(f"{redact(name)!r} is not one of the vaults of ROTATION_VAULTS")
    if rest and not _PATTERN.fullmatch(rest):
        raise ValueError(f"{redact(rest)!r} is not a secret name; letters, digits, hyphens and *")
    return Place(found[0], rest or None)


@lru_cache
def _by_name(vaults: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Return the vaults by host and by the host's first label."""
    found: dict[str, list[str]] = defaultdict(list)
    for url in vaults:
        host = urlsplit(url).netloc
        for name in {host, host.partition(".")[0]}:
            found[name].append(url)
    return found


def _mixed(entries: list[Entry]) -> list[str]:
    patterned = {entry.vault for entry in entries if entry.pattern}
    plain = {entry.vault for entry in entries if not entry.pattern}
    return [
        f"{vault}: either every entry of a vault has a secret pattern, or none has"
        for vault in sorted(patterned & plain)
    ]


def _matches(pattern: str | None, name: str) -> bool:
    if pattern is None:
        return True
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
