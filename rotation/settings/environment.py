"""Reads the settings from the environment; all invalid ones are reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from ..domain import durations
from ..domain.parsing import TextReader
from ..domain.policy import Policy, ProbePolicy
from . import storage as connection
from .storage import StorageSettings

T = TypeVar("T")

FUNCTION_KEYS = "ROTATION_FUNCTION_KEYS"


class BadSettings(ValueError):
    """Invalid settings, with one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the settings are not valid:\n" + "\n".join(f"- {p}" for p in problems))


@dataclass(frozen=True)
class Settings:
    """All settings; the README describes them."""

    vaults: tuple[str, ...]
    policy: Policy
    period: timedelta
    rate: float
    credential: str
    client_id: str | None
    arm: str
    topic: str | None
    logs_workspace: str | None
    evidence_ignore: frozenset[str]
    journal_directory: str
    bindings: str
    journal_container: str
    queue_name: str
    storage: StorageSettings | None


def load(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises BadSettings with every problem."""
    read = _SettingsReader(environment)
    defaults = Policy()
    policy = Policy(
        overlap=read.duration("ROTATION_OVERLAP", defaults.overlap),
        minimum_interval=read.duration("ROTATION_MINIMUM_INTERVAL", defaults.minimum_interval),
        lead=read.duration("ROTATION_LEAD", defaults.lead),
        spread=read.duration("ROTATION_SPREAD", defaults.spread),
        settle=read.duration("ROTATION_SETTLE", defaults.settle),
        probe=read.choice("ROTATION_PROBE", ProbePolicy.REQUIRE, _probe),
        probe_successes=read.number("ROTATION_PROBE_SUCCESSES", defaults.probe_successes, 1, 20),
        probe_span=read.duration("ROTATION_PROBE_SPAN", defaults.probe_span),
        patience=read.duration("ROTATION_PATIENCE", defaults.patience),
        daily_cap=read.number("ROTATION_DAILY_CAP", defaults.daily_cap, 2, 100),
    )
    settings = Settings(
        vaults=read.vaults("ROTATION_VAULTS"),
        policy=policy,
        period=read.duration("ROTATION_SWEEP_PERIOD", timedelta(minutes=15)),
        rate=float(read.number("ROTATION_SWEEP_RATE", 4, 1, 100)),
        credential=read.choice("ROTATION_CREDENTIAL", "managed", _credential),
        client_id=read.text("ROTATION_CLIENT_ID") or read.text("AZURE_CLIENT_ID") or None,
        arm=read.url("ROTATION_ARM") or "https://management.azure.com",
        topic=read.url("ROTATION_TOPIC"),
        logs_workspace=read.text("ROTATION_LOGS_WORKSPACE") or None,
        evidence_ignore=frozenset(_list(read.text("ROTATION_EVIDENCE_IGNORE").lower())),
        journal_directory=read.text("ROTATION_JOURNAL") or ".state",
        bindings=read.text("ROTATION_BINDINGS"),
        journal_container=read.name("ROTATION_JOURNAL_CONTAINER", "rotation-journal"),
        queue_name=read.name("ROTATION_QUEUE", "rotation-work"),
        storage=_storage(environment, read.problems),
    )
    read.choice(FUNCTION_KEYS, False, _flag)
    if settings.period < timedelta(minutes=1):
        read.report("ROTATION_SWEEP_PERIOD", "at least PT1M")
    if read.problems:
        raise BadSettings(read.problems)
    return settings


def access(environment: Mapping[str, str]) -> tuple[bool, bool]:
    """Return whether App Service authentication is enabled and function keys are accepted.

    The platform sets WEBSITE_AUTH_ENABLED. By default function keys are accepted locally only; an
    invalid setting disables them.
    """
    platform = environment.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true"
    local = "WEBSITE_SITE_NAME" not in environment
    chosen = environment.get(FUNCTION_KEYS, "").strip().lower()
    return platform, chosen == "true" or (not chosen and local)


class _SettingsReader(TextReader):
    def duration(self, name: str, default: timedelta) -> timedelta:
        return self.parse(name, durations.parse, default)

    def choice(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        return self.parse(name, lambda text: parse(text.lower()), default)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        def parse(text: str) -> int:
            if not text.isdecimal() or not least <= int(text) <= most:
                raise ValueError(f"{text!r} must be a whole number from {least} to {most}")
            return int(text)

        return self.parse(name, parse, default)

    def url(self, name: str) -> str | None:
        return self.parse(name, _https, None)

    def name(self, name: str, default: str) -> str:
        def parse(text: str) -> str:
            plain = text.replace("-", "")
            if not 3 <= len(text) <= 63 or not plain.isalnum() or text != text.lower():
                raise ValueError(f"{text!r}: write 3 to 63 lower-case letters, digits and hyphens")
            return text

        return self.parse(name, parse, default)

    def vaults(self, name: str) -> tuple[str, ...]:
        none: tuple[str, ...] = ()
        urls = self.parse(name, _urls, none)
        if not urls and not self.text(name):
            example = "https://my-vault.vault.azure.net"
            self.report(name, f"required; write one or more vault URLs, e.g. {example}")
        return urls


def _storage(environment: Mapping[str, str], problems: list[str]) -> StorageSettings | None:
    try:
        return connection.parse(environment)
    except ValueError as exc:
        problems.append(str(exc))
        return None


def _credential(text: str) -> str:
    if text not in ("managed", "developer"):
        raise ValueError(f"{text!r} must be managed or developer")
    return text


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} must be true or false")
    return text == "true"


def _probe(text: str) -> ProbePolicy:
    if text not in set(ProbePolicy):
        raise ValueError(f"{text!r} must be require or accept")
    return ProbePolicy(text)


def _list(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _urls(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_https(part) for part in _list(text)))


def _https(text: str) -> str:
    """Return an https URL in lower case and without a trailing slash. Raises ValueError."""
    try:
        parts = urlsplit(text.strip())
        valid = parts.scheme == "https" and parts.hostname and not parts.query
        valid = valid and not parts.username and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"{text[:100]!r} is not an https URL")
    return text.strip().rstrip("/").lower()
