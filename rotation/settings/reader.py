"""Parses settings, each by its rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from ..domain import consumers, durations, probe_choice
from ..domain.consumers import Consumers
from ..domain.ids import AccountId
from ..domain.parsing import TextReader
from ..domain.probe_choice import Overrides

T = TypeVar("T")

# Read by the command line.
OPERATORS = ("ROTATION_URL", "ROTATION_SCOPE", "ROTATION_FUNCTION_KEY", "ROTATION_COLUMNS")

_VAULTS = "write one or more comma-separated vault URLs: https://my-vault.vault.azure.net"

# The suffixes of Key Vault in Azure's clouds. A managed HSM (managedhsm) has keys, but no secrets.
_VAULT = re.compile(
    r"https://[a-z][a-z0-9-]{1,22}[a-z0-9]\.vault\."
    r"(?:azure\.net|azure\.cn|usgovcloudapi\.net)"
)

_NAME, _LONGEST_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}"), 63

_LONGEST_NUMBER = 9  # digits; int() refuses a very long text

_CRON, _CRON_FIELDS = re.compile(r"[\d*/,\-A-Za-z ]+"), 6


class SettingsReader(TextReader):
    """Reads settings. A problem states the rule and never the value, which may hold a secret."""

    def __init__(self, values: Mapping[str, object]) -> None:
        super().__init__(values)
        self._known = set(OPERATORS)

    def duration(self, name: str, default: timedelta) -> timedelta:
        return self._read(name, durations.parse, default, "write a duration, e.g. P2D or PT26H")

    def choice(self, name: str, default: T, choices: Mapping[str, T]) -> T:
        rule = f"write {' or '.join(choices)}"
        return self._read(name, lambda text: _chosen(choices, text), default, rule)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        rule = f"write a whole number from {least} to {most}"
        return self._read(name, lambda text: _number(text, least, most), default, rule)

    def url(self, name: str) -> str | None:
        return self._read(name, _https, None, "write an https URL without a query")

    def name(self, name: str, default: str) -> str:
        """Read the name of a queue or a blob container: Azure has the same rule for both."""
        rule = "write 3 to 63 lower-case letters and digits, with single hyphens between them"
        return self._read(name, _name, default, rule)

    def schedule(self, name: str, default: str) -> str:
        rule = "write six fields of NCRONTAB, e.g. 0 */15 * * * *"
        return self._read(name, _schedule, default, rule)

    def probes(self, name: str) -> Overrides:
        """Read which probe tries the keys of an account or a kind."""
        none: Overrides = {}
        return self.parse(name, probe_choice.parse, none)

    def accounts(self, name: str) -> frozenset[AccountId]:
        none: frozenset[AccountId] = frozenset()
        rule = "write the comma-separated resource ids of accounts"
        return self._read(name, _accounts, none, rule)

    def vaults(self, name: str) -> tuple[str, ...]:
        none: tuple[str, ...] = ()
        if not self.text(name):
            self.report(name, f"required; {_VAULTS}")
            return none
        return self._read(name, _vault_urls, none, _VAULTS)

    def consumers(self, name: str, vaults: tuple[str, ...]) -> Consumers:
        """Read the consumers that secrets of these vaults may select."""
        return self.parse(name, lambda text: consumers.parse(text, vaults), Consumers())

    def misspelt(self) -> tuple[str, ...]:
        """Return a warning for each of our settings that nothing reads.

        A warning only: an earlier version must start with the settings of a later one.
        """
        unknown = (n for n in self._values if n.startswith("ROTATION_") and n not in self._known)
        return tuple(f"{name}: not a setting{self._suggestion(name)}" for name in sorted(unknown))

    def _suggestion(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._known, 1)
        return f"; did you mean {near[0]}?" if near else ""

    def text(self, name: str) -> str:
        self._known.add(name)
        return super().text(name)

    def _read(self, name: str, parse: Callable[[str], T], default: T, rule: str) -> T:
        def without_value(text: str) -> T:
            try:
                return parse(text)
            except ValueError:
                raise ValueError(rule) from None

        return self.parse(name, without_value, default)


def _chosen(choices: Mapping[str, T], text: str) -> T:
    if text.lower() not in choices:
        raise ValueError
    return choices[text.lower()]


def _number(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise ValueError
    if not least <= int(text) <= most:
        raise ValueError
    return int(text)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or len(text) > _LONGEST_NAME:
        raise ValueError
    return text


def _schedule(text: str) -> str:
    if len(text.split()) != _CRON_FIELDS or not _CRON.fullmatch(text):
        raise ValueError
    return text


def _accounts(text: str) -> frozenset[AccountId]:
    return frozenset(AccountId.parse(part) for part in text.split(",") if part.strip())


def _vault_urls(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_vault_url(part) for part in text.replace(",", " ").split()))


def _vault_url(text: str) -> str:
    """Return a vault's URL. Raises ValueError for a secret's, a managed HSM's or another host."""
    url = _https(text)
    if not _VAULT.fullmatch(url):
        raise ValueError
    return url


def _https(text: str) -> str:
    """Return an https URL in lower case and without a trailing slash. Raises ValueError."""
    try:
        parts = urlsplit(text.strip())
        valid = parts.scheme == "https" and parts.hostname and not parts.query
        valid = valid and not parts.username and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError
    return text.strip().rstrip("/").lower()
