"""The metrics and log lines that alerts depend on, from real work and under their listed names."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from emulator.core.faults import Fault
from rotation.domain.ids import TargetId
from rotation.domain.request import Leaked
from rotation.runtime.log import LINES
from rotation.runtime.metrics import METRICS
from rotation.service.replies.fleet import SecretState
from rotation.service.requests import RotationRequest
from tests.integration.wire.product import VAULT, Product, playground, product

_reader = InMemoryMetricReader()


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    """Configure metrics as the worker does; possible once in a process."""
    metrics.set_meter_provider(MeterProvider(metric_readers=[_reader]))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    found: list[tuple[str, dict[str, Any]]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            name, brace, text = record.getMessage().partition(" {")
            found.append((name, json.loads("{" + text) if brace else {}))

    logger, handler = logging.getLogger("rotation"), Handler()
    caplog.set_level(logging.INFO, "rotation")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def measured() -> dict[str, list[Any]]:
    """Data points by the metric's name."""
    read = _reader.get_metrics_data()
    scopes = [s for r in read.resource_metrics for s in r.scope_metrics] if read else []
    return {m.name: list(m.data.data_points) for s in scopes for m in s.metrics}


async def leak(p: Product) -> None:
    secret = TargetId(VAULT, "ai-key")
    await p.service.commands.request(
        RotationRequest(
            "pasted into a chat", "ada", secret, leaked=Leaked.KEY1, role="Rotation.Emergency"
        )
    )
    p.azure.advance(timedelta(seconds=40))
    await p.run(timedelta(hours=2))


async def test_every_metric_is_measured_and_no_other(tmp_path: Path) -> None:
    azure = playground()
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=429, body={"error": {}}))
    async with product(azure, str(tmp_path)) as p:
        await p.visit()
        await leak(p)
        await p.triggers.sweep()
        await p.service.health.observe()
    found = {name for name in measured() if name.startswith("rotation.")}
    assert found == {metric.name for metric in METRICS}


async def test_attributes_are_those_of_the_table_and_never_contain_a_secret_name(
    tmp_path: Path,
) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await leak(p)
        await p.service.health.observe()
    known = {metric.name: set(metric.attributes) for metric in METRICS}
    for name, points in measured().items():
        for point in points:
            assert set(point.attributes) == known[name]
            assert "ai-key" not in str(point.attributes)


async def test_the_time_from_report_to_refusal_counts_from_the_report(tmp_path: Path) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await leak(p)
    (point,) = measured()["rotation.revocation"]
    assert point.max >= 40


async def test_every_state_is_reported_so_that_a_graph_returns_to_zero(tmp_path: Path) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await p.service.health.observe()
    told = {p.attributes["state"]: p.value for p in measured()["rotation.secrets"]}
    assert told.keys() == {state.value for state in SecretState}
    assert sum(told.values()) == 1


async def test_an_operation_leaves_one_audit_line_with_requester_reason_and_outcome(
    tmp_path: Path, lines: list[tuple[str, dict[str, Any]]]
) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await leak(p)
        account = str(p.account())
    (audit,) = [members for name, members in lines if name == "audit"]
    assert audit["requester"] == "ada"
    assert audit["role"] == "Rotation.Emergency"
    assert audit["reason"] == "pasted into a chat"
    assert audit["leaked"] == "key1"
    assert audit["account"] == account
    assert (audit["purpose"], audit["ending"]) == ("emergency", "done")
    assert audit["outcome"] == "the old key is refused"
    assert int(audit["seconds"]) >= 40


async def test_the_same_goes_out_as_an_event(tmp_path: Path) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        await leak(p)
    events = [e for topic in azure.topics.received.values() for e in topic]
    ended = [e for e in events if e["type"] == "KeyRotation.Ended"]
    assert len(ended) == 1
    assert ended[0]["data"]["requester"] == "ada"
    assert set(ended[0]["data"]) - {"operation"} <= set(LINES["audit"])


async def test_the_fleet_is_reported_after_each_sweep(
    tmp_path: Path, lines: list[tuple[str, dict[str, Any]]]
) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.service.health.observe()
    (fleet,) = [members for name, members in lines if name == "fleet"]
    assert fleet["secrets"] == 1
    assert sum(fleet["states"].values()) == 1
    assert fleet["nextExpiryDays"] > 0
    assert fleet["sweepAgeSeconds"] == 0


def _spoil(journal: Path) -> None:
    for document in journal.glob("**/*.json"):
        document.write_text("{")


async def test_an_unreadable_journal_is_reported_and_does_not_end_the_sweep(
    tmp_path: Path, lines: list[tuple[str, dict[str, Any]]]
) -> None:
    async with product(playground(), str(tmp_path)) as p:
        await p.triggers.sweep()
        _spoil(tmp_path)
        await p.service.health.observe()
    (fleet,) = [members for name, members in lines if name == "fleet"]
    assert fleet["problems"] >= 1
    assert fleet["states"] == {"failing": 1}
