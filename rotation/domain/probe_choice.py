"""Chooses the probe of an account: configured, or by its kind and its endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import probe_calls as calls
from .account import Account
from .cloud import Cloud
from .ids import AccountId
from .kinds import kind_of
from .probe_calls import CALLS, ProbeCall

# By account, or by kind in lower case.
Overrides = Mapping[AccountId | str, ProbeCall]


@dataclass(frozen=True)
class Choice:
    """A call, the URL whose host receives it, and whether a setting chose it."""

    call: ProbeCall
    url: str
    is_configured: bool = False


def choose(account: Account, cloud: Cloud, overrides: Overrides) -> Choice:
    """Return the call that tries this account's keys, and where."""
    configured = overrides.get(account.id) or overrides.get(account.kind.lower())
    call = configured or _by_kind(account, cloud)
    return Choice(call, account.endpoints.get(call.api) or account.endpoint, bool(configured))


def parse(text: str) -> Overrides:
    """Parse ``KIND=PROBE`` and ``ACCOUNT-ID=PROBE``, comma-separated.

    Raises ValueError, which says which entry is wrong and repeats no value.
    """
    found: dict[AccountId | str, ProbeCall] = {}
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        name, _, call = (part.strip() for part in entry.rpartition("="))
        if call not in CALLS:
            known = ", ".join(sorted(CALLS))
            raise ValueError(f"entry {number} does not end with =PROBE; probes: {known}")
        found[_subject(name, number)] = CALLS[call]
    return found


def _subject(name: str, number: int) -> AccountId | str:
    if not name.startswith("/"):
        if not name.isascii() or not name.replace(".", "").isalnum():
            raise ValueError(f"entry {number} does not begin with a kind or an account's id")
        return name.lower()
    try:
        return AccountId.parse(name)
    except ValueError:
        raise ValueError(f"entry {number} does not begin with an account's id") from None


def _by_kind(account: Account, cloud: Cloud) -> ProbeCall:
    call = kind_of(account.kind).call
    if call is calls.OPENAI and not _has_openai(account):
        return calls.TOKEN
    if call is calls.TOKEN and _is_only_translator(account, cloud):
        return calls.TRANSLATOR
    return call


def _has_openai(account: Account) -> bool:
    return account.kind.lower() == "openai" or bool(account.endpoints.get(calls.OPENAI.api))


def _is_only_translator(account: Account, cloud: Cloud) -> bool:
    """Return whether the account has no other host than the one that all Translators share."""
    shared = cloud.is_translator(_host(account.endpoint))
    return shared and not account.endpoints.get(calls.TOKEN.api)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
