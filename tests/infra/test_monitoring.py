"""Alerts, the workbook and documented queries use only names that the service emits.

test_node_checks.py checks the queries as KQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rotation.domain.request import RequestKind
from rotation.runtime.log import LINES
from rotation.runtime.metrics import METRICS
from rotation.service.replies.fleet import SecretState

from .deployed import deployed
from .queries import ALERTS, DOCUMENT, QUERIES

KINDS = {"Rotated", "Revoked", "NotProven", "Repaired", "Failed", "Ended"}
_LINE = re.compile(r"startswith \"([a-z ]+) \{\"")
_CUT = re.compile(r"startswith \"([a-z ]+ )\{\".*?substring\(Message, (\d+)\)", re.S)


def faults(query: str) -> Iterator[str]:
    """Yield each name in a query that the service does not emit."""
    lines = _LINE.findall(query)
    for line in lines:
        if line not in LINES:
            yield f"nothing logs {line!r}"
    known = {field for line in lines for field in LINES.get(line, ())}
    for field in re.findall(r"\bd\.(\w+)", query):
        if field not in known:
            yield f"{lines} has no {field}"
    for head, length in _CUT.findall(query):
        if len(head) != int(length):
            yield f"{head!r} is not {length} characters long"
    yield from (
        f"no state {s}" for s in re.findall(r"d\.states\.(\w+)", query) if s not in {*SecretState}
    )
    events = re.findall(r"KeyRotation\.(\w+)", query)
    yield from (f"no event {event}" for event in events if event not in KINDS)
    kinds = re.findall(r"tostring\(d\.kind\) == \"(\w+)\"", query)
    yield from (f"no kind {kind}" for kind in kinds if kind not in {*RequestKind})
    metrics = {metric.name: metric.attributes for metric in METRICS}
    for name in re.findall(r"Name == \"([\w.]+)\"", query):
        if name not in metrics:
            yield f"nothing measures {name}"
        for attribute in re.findall(r"Properties\.(\w+)", query):
            if attribute not in metrics.get(name, ()):
                yield f"{name} has no {attribute}"


@pytest.mark.parametrize("where", [one for one in QUERIES if not one.startswith("service")])
def test_what_is_queried_is_emitted(where: str) -> None:
    assert list(faults(QUERIES[where])) == []


def test_there_are_queries_of_all_three() -> None:
    kinds = [where.split()[0] for where in QUERIES]
    assert all(kinds.count(kind) > 2 for kind in ("alert", "workbook:", "docs/monitoring.md,"))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ('AppTraces | where Message startswith "flat {"', "nothing logs"),
        ('AppTraces | where Message startswith "fleet {" | where d.surprise > 1', "surprise"),
        ('startswith "fleet {" | extend d = parse_json(substring(Message, 7))', "characters"),
        ('startswith "fleet {" | where d.states.broken > 0', "no state broken"),
        ('startswith "event {" | where d.type == "KeyRotation.Lost"', "no event Lost"),
        ('startswith "asked {" | where tostring(d.kind) == "panic"', "no kind panic"),
        ('AppMetrics | where Name == "rotation.joy"', "nothing measures"),
        ('AppMetrics | where Name == "rotation.failures" | where Properties.secret', "no secret"),
    ],
)
def test_a_query_for_something_else_is_found(query: str, says: str) -> None:
    assert any(says in fault for fault in faults(query))


METRIC_ALERTS = {
    re.sub(r"^rotation-|-[a-z0-9]{13}-.*$", "", one["name"]): one["properties"]
    for one in deployed("one_vault").of("Microsoft.Insights/metricAlerts")
}


def runbook(alert: str) -> str:
    """Return the section of an alert in docs/monitoring.md, or an empty text."""
    found = re.search(rf"^### {alert}\n(.*?)(?=^##|\Z)", DOCUMENT, re.M | re.S)
    return found[1] if found else ""


def test_all_alerts_are_found() -> None:
    assert set(METRIC_ALERTS) == {"dead-letters", "dropped-events"}
    assert len(ALERTS) > 8


@pytest.mark.parametrize("alert", [*ALERTS, *METRIC_ALERTS])
def test_every_alert_has_a_runbook_with_cause_and_remedy(alert: str) -> None:
    assert "**Cause.** " in runbook(alert)
    assert "**What to do.** " in runbook(alert)


@pytest.mark.parametrize("alert", ALERTS)
def test_a_runbook_has_the_query_of_its_alert(alert: str) -> None:
    (shown,) = re.findall(r"```kusto\n(.*?)```", runbook(alert), re.S)
    query = QUERIES[f"alert {alert}"].replace("2026-01-01 00:00:00Z", "TIME-OF-DEPLOYMENT")
    assert " ".join(shown.split()) == query


@pytest.mark.parametrize("alert", METRIC_ALERTS)
def test_a_runbook_has_the_metric_of_its_alert(alert: str) -> None:
    (criterion,) = METRIC_ALERTS[alert]["criteria"]["allOf"]
    assert f"`{criterion['metricName']}`" in runbook(alert)


def test_every_runbook_is_that_of_an_alert() -> None:
    chapter = DOCUMENT.partition("## Alerts, and what to do")[2]
    assert {*re.findall(r"^### (.+)$", chapter, re.M)} == {*ALERTS, *METRIC_ALERTS}


@pytest.mark.parametrize(
    ("case", "page"),
    [
        ("one_vault", "docs/monitoring.md"),
        ("everything", "https://docs.contoso.example/monitoring/"),
    ],
)
def test_every_alert_links_to_its_runbook(case: str, page: str) -> None:
    found = deployed(case)
    log_alerts = found.of("Microsoft.Insights/scheduledQueryRules")
    alerts = [*log_alerts, *found.of("Microsoft.Insights/metricAlerts")]
    for one in alerts:
        link = one["properties"]["description"].partition(" What to do: ")[2]
        address, _, section = link.partition("#")
        assert address == page
        assert one["name"].startswith(f"rotation-{section}")
        assert runbook(section)


def test_the_first_sweep_is_not_missed_right_after_provisioning() -> None:
    """The parameter deployedAt of the snapshot."""
    assert 'now() > todatetime("2026-01-01 00:00:00Z") + 2h' in QUERIES["alert sweep-missing"]


def test_only_an_emergency_is_worth_an_alert_every_five_minutes() -> None:
    """An alert that is evaluated every 5 minutes costs three times one every 15 minutes."""
    often = {name for name, one in ALERTS.items() if one["evaluationFrequency"] == "PT5M"}
    assert often == {"emergency", "not-revoked"}


def test_no_alert_looks_at_less_than_the_time_since_its_last_evaluation() -> None:
    minutes = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60}
    for one in ALERTS.values():
        assert minutes[one["windowSize"]] >= minutes[one["evaluationFrequency"]]


def test_every_line_and_metric_is_documented() -> None:
    for line, fields in LINES.items():
        row = re.search(rf"^\| `{line}` \|.*$", DOCUMENT, re.M)
        assert row, line
        assert {*re.findall(r"`(\w+)`", row[0].partition("|")[2].partition("|")[2])} == {*fields}
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.kind} | `{metric.unit}` |" in DOCUMENT, metric.name
