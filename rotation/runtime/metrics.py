"""Metrics with stable names. Alerts and the workbook rely on them.

Metrics are OpenTelemetry's: nothing happens unless the host's worker has an exporter configured.
Their attributes have few values; no names of secrets, and never a key.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry import metrics


@dataclass(frozen=True)
class Metric:
    """``unit`` is UCUM's, ``attributes`` name all that tells its series apart."""

    name: str
    kind: str
    unit: str
    meaning: str
    attributes: tuple[str, ...] = ()


OLDEST = Metric("rotation.key.oldest", "gauge", "d", "age of the oldest published key")

EXPIRY = Metric("rotation.expiry.next", "gauge", "d", "time to the next expiry of a secret")

SECRETS = Metric("rotation.secrets", "gauge", "{secret}", "secrets by state", ("state",))

SWEEP_AGE = Metric("rotation.sweep.age", "gauge", "s", "time since a sweep last did its work")

OPERATIONS = Metric(
    "rotation.operations", "counter", "{operation}", "operations that ended", ("purpose", "ending")
)

FAILURES = Metric("rotation.failures", "counter", "{failure}", "steps that failed", ("code",))

REVOCATION = Metric(
    "rotation.revocation", "histogram", "s", "from a leak's report until its key was refused"
)

THROTTLES = Metric("rotation.throttles", "counter", "{answer}", "answers 429", ("service",))

METRICS = (OLDEST, EXPIRY, SECRETS, SWEEP_AGE, OPERATIONS, FAILURES, REVOCATION, THROTTLES)

_meter = metrics.get_meter("rotation")

_MAKE: Mapping[str, Any] = {
    "gauge": _meter.create_gauge,
    "counter": _meter.create_counter,
    "histogram": _meter.create_histogram,
}

_instruments = {m.name: _MAKE[m.kind](m.name, m.unit, m.meaning) for m in METRICS}

_HOW = {"gauge": "set", "counter": "add", "histogram": "record"}

_held: deque[tuple[Metric, float, Mapping[str, str]]] | None = None

_MOST_HELD = 1000


def hold() -> None:
    """Keep measurements until ``release``, because no exporter is loaded yet."""
    global _held
    _held = deque(maxlen=_MOST_HELD) if _held is None else _held


def release() -> None:
    """Measure what was kept, and everything from now on at once."""
    global _held
    kept, _held = _held or (), None
    for metric, value, attributes in kept:
        _measure(metric, value, attributes)


def _measure(metric: Metric, value: float, attributes: Mapping[str, str] | None = None) -> None:
    if _held is not None:
        _held.append((metric, value, attributes or {}))
    else:
        getattr(_instruments[metric.name], _HOW[metric.kind])(value, attributes)


def fleet(summary: Mapping[str, Any], states: tuple[str, ...], sweep_age: float | None) -> None:
    """Set the gauges from a summary of the fleet; a state without secrets is set to 0."""
    known = {OLDEST: summary["oldestKeyDays"], EXPIRY: summary["nextExpiryDays"]}
    for metric, value in {**known, SWEEP_AGE: sweep_age}.items():
        if value is not None:
            _measure(metric, value)
    for state in states:
        _measure(SECRETS, summary["states"].get(state, 0), {"state": state})


def ended(audit: Mapping[str, str]) -> None:
    """Count an operation that ended; ``audit`` has the members of that log line."""
    attributes = {"purpose": audit["purpose"], "ending": audit["ending"]}
    _measure(OPERATIONS, 1, attributes)
    if audit["purpose"] == "emergency" and audit["ending"] == "done":
        _measure(REVOCATION, float(audit["seconds"]))


def failed(code: str) -> None:
    """Count a failed step."""
    _measure(FAILURES, 1, {"code": code})


def throttled(service: str) -> None:
    """Count a response 429; ``service`` is a domain, without the name of an account or vault."""
    _measure(THROTTLES, 1, {"service": service})
