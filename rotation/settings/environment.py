"""Reads the settings from the environment; all invalid ones are reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from ..domain import cloud as clouds
from ..domain import formats
from ..domain.cloud import Cloud
from ..domain.consumers import Consumers
from ..domain.evidence import EvidencePolicy
from ..domain.formats import Formats
from ..domain.ids import AccountId
from ..domain.policy import Policy, ProbePolicy
from ..domain.probe_choice import Overrides
from . import storage as connection
from .reader import SettingsReader
from .storage import StorageSettings

T = TypeVar("T")

FUNCTION_KEYS = "ROTATION_FUNCTION_KEYS"

_PROBES = {policy.value: policy for policy in ProbePolicy}

_CREDENTIALS = {name: name for name in ("managed", "developer")}

_FLAGS = {"true": True, "false": False}

DEFAULT_QUEUE, DEFAULT_SCHEDULE = "rotation-work", "0 */15 * * * *"

DEFAULT_EMERGENCY_QUEUE = "rotation-emergencies"


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
    cloud: Cloud
    topic: str | None
    logs_workspace: str | None
    evidence_ignore: frozenset[str]
    journal_directory: str
    bindings: str
    formats: Formats
    probe_overrides: Overrides
    drill_accounts: frozenset[AccountId]
    journal_container: str
    queue_name: str
    emergency_queue: str
    schedule: str
    storage: StorageSettings | None
    warnings: tuple[str, ...] = ()


def load(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises BadSettings with every problem."""
    read = SettingsReader(environment)
    defaults = Policy()
    vaults = read.vaults("ROTATION_VAULTS")
    consumers = read.consumers("ROTATION_CONSUMERS", vaults)
    policy = Policy(
        overlap=read.duration("ROTATION_OVERLAP", defaults.overlap),
        minimum_interval=read.duration("ROTATION_MINIMUM_INTERVAL", defaults.minimum_interval),
        lead=read.duration("ROTATION_LEAD", defaults.lead),
        minimum_overlap=read.duration("ROTATION_MIN_OVERLAP", defaults.minimum_overlap),
        spread=read.duration("ROTATION_SPREAD", defaults.spread),
        settle=read.duration("ROTATION_SETTLE", defaults.settle),
        probe=read.choice("ROTATION_PROBE", ProbePolicy.REQUIRE, _PROBES),
        probe_successes=read.number("ROTATION_PROBE_SUCCESSES", defaults.probe_successes, 1, 20),
        probe_span=read.duration("ROTATION_PROBE_SPAN", defaults.probe_span),
        patience=read.duration("ROTATION_PATIENCE", defaults.patience),
        emergency_patience=read.duration(
            "ROTATION_EMERGENCY_PATIENCE", defaults.emergency_patience
        ),
        daily_cap=read.number("ROTATION_DAILY_CAP", defaults.daily_cap, 2, 100),
        evidence=_evidence(read, consumers),
        evidence_deadline=read.duration("ROTATION_EVIDENCE_DEADLINE", defaults.evidence_deadline),
        consumers=consumers,
    )
    cloud = clouds.chosen(
        read.choice("ROTATION_CLOUD", None, clouds.CLOUDS), read.url("ROTATION_ARM")
    )
    settings = Settings(
        vaults=vaults,
        policy=policy,
        period=read.duration("ROTATION_SWEEP_PERIOD", timedelta(minutes=15)),
        rate=float(read.number("ROTATION_SWEEP_RATE", 4, 1, 100)),
        credential=read.choice("ROTATION_CREDENTIAL", "managed", _CREDENTIALS),
        client_id=read.text("ROTATION_CLIENT_ID") or read.text("AZURE_CLIENT_ID") or None,
        cloud=cloud,
        topic=read.url("ROTATION_TOPIC"),
        logs_workspace=read.text("ROTATION_LOGS_WORKSPACE") or None,
        evidence_ignore=frozenset(_list(read.text("ROTATION_EVIDENCE_IGNORE").lower())),
        journal_directory=read.text("ROTATION_JOURNAL") or ".state",
        bindings=read.text("ROTATION_BINDINGS"),
        formats=read.parse("ROTATION_FORMATS", formats.parse, Formats()),
        probe_overrides=read.probes("ROTATION_PROBE_OVERRIDES"),
        drill_accounts=read.accounts("ROTATION_DRILL_ACCOUNTS"),
        journal_container=read.name("ROTATION_JOURNAL_CONTAINER", "rotation-journal"),
        queue_name=read.name("ROTATION_QUEUE", DEFAULT_QUEUE),
        emergency_queue=read.name("ROTATION_EMERGENCY_QUEUE", DEFAULT_EMERGENCY_QUEUE),
        schedule=read.schedule("ROTATION_SCHEDULE", DEFAULT_SCHEDULE),
        storage=_storage(environment, cloud, read.problems),
    )
    read.choice(FUNCTION_KEYS, False, _FLAGS)
    if settings.period < timedelta(minutes=1):
        read.report("ROTATION_SWEEP_PERIOD", "at least PT1M")
    if settings.emergency_queue == settings.queue_name:
        read.report("ROTATION_EMERGENCY_QUEUE", "a queue other than ROTATION_QUEUE")
    if policy.emergency_patience > timedelta(minutes=15):
        read.report("ROTATION_EMERGENCY_PATIENCE", "at most PT15M")
    if read.problems:
        raise BadSettings(read.problems)
    return replace(settings, warnings=(*read.misspelt(), *_of_another_cloud(settings)))


def _of_another_cloud(settings: Settings) -> Iterable[str]:
    """Yield a warning for each vault in another cloud: its tokens are refused there."""
    cloud = settings.cloud
    for url in clouds.strangers(cloud, settings.vaults):
        yield (
            f"{url}: not a vault of the cloud {cloud.name}, whose vaults end with .{cloud.vaults}; "
            "check ROTATION_CLOUD"
        )


def _evidence(read: SettingsReader, consumers: Consumers) -> EvidencePolicy:
    """Return the policy: require if the logs or consumers can tell, unless it says otherwise."""
    is_connected = bool(read.text("ROTATION_LOGS_WORKSPACE")) or consumers.have_checks
    default = EvidencePolicy.REQUIRE if is_connected else EvidencePolicy.OFF
    found = read.choice("ROTATION_EVIDENCE", default, {p.value: p for p in EvidencePolicy})
    if found is not EvidencePolicy.OFF and not is_connected:
        read.report("ROTATION_EVIDENCE", "needs ROTATION_LOGS_WORKSPACE or ROTATION_CONSUMERS")
    return found


def triggers(environment: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the work queue's name, the timer's schedule and the emergencies' queue.

    The host needs them before all else.

    An invalid one gives its default: the host must list the functions, and ``load`` reports it.
    """
    read = SettingsReader(environment)
    return (
        read.name("ROTATION_QUEUE", DEFAULT_QUEUE),
        read.schedule("ROTATION_SCHEDULE", DEFAULT_SCHEDULE),
        read.name("ROTATION_EMERGENCY_QUEUE", DEFAULT_EMERGENCY_QUEUE),
    )


def access(environment: Mapping[str, str]) -> tuple[bool, bool]:
    """Return whether App Service authentication is enabled and function keys are accepted.

    The platform sets WEBSITE_AUTH_ENABLED. By default function keys are accepted locally only; an
    invalid setting disables them.
    """
    platform = environment.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true"
    local = "WEBSITE_SITE_NAME" not in environment
    chosen = environment.get(FUNCTION_KEYS, "").strip().lower()
    return platform, chosen == "true" or (not chosen and local)


def _storage(
    environment: Mapping[str, str], cloud: Cloud, problems: list[str]
) -> StorageSettings | None:
    try:
        return connection.parse(environment, suffix=cloud.storage)
    except ValueError as exc:
        problems.append(str(exc))
        return None


def _list(text: str) -> list[str]:
    return text.replace(",", " ").split()
