"""The pipeline of all Azure clients: no retries, short timeouts, Azure's clock and its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rotation.adapters import pipeline
from rotation.adapters.pipeline import DatePolicy, LimitsPolicy
from rotation.runtime import metrics
from rotation.runtime.clock import Clock

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TIMEOUTS = {"connection_timeout": 5, "read_timeout": 30}


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: NOW)


class Limits:
    """Notes what the answers tell."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def refused(self, place: str, pause: timedelta | None, now: datetime) -> None:
        self.told.append((place, pause, now))

    def left(self, place: str, left: int, now: datetime) -> None:
        self.told.append((place, left, now))


def answer(policy: Any, status: int = 200, url: str = "https://x", **headers: str) -> None:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    request = SimpleNamespace(http_request=SimpleNamespace(url=url))
    response = SimpleNamespace(status_code=status, headers=named)
    policy.on_response(request, SimpleNamespace(http_response=response))


def test_the_clock_follows_azures(clock: Clock) -> None:
    answer(DatePolicy(clock), Date="Sat, 28 Nov 2026 12:01:00 GMT")
    assert clock.skew == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://kv-a.vault.azure.net/secrets", "vault.azure.net"),
        ("https://management.azure.com/x", "management.azure.com"),
        ("https://localhost/x", "localhost"),
    ],
)
def test_answers_429_are_counted_by_service(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, url: str, service: str
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(metrics, "throttled", counted.append)
    for status in (200, 429, 503):
        answer(DatePolicy(clock), status, url)
    assert counted == [service]


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("7", 7),
        ("300", 300),
        ("301", 300),
        ("999999999", 300),
        ("9999999999", None),
        ("", None),
        ("soon", None),
        ("٣", None),
        ("0", None),
    ],
)
def test_a_refusal_is_reported_with_its_pause(clock: Clock, text: str, pause: int | None) -> None:
    limits = Limits()
    policy = LimitsPolicy(limits, "a place", clock)
    answer(policy, 200, Retry_After=text)
    answer(policy, 429, Retry_After=text)
    expected = timedelta(seconds=pause) if pause else None
    assert limits.told == [("a place", expected, NOW)]


def test_the_writes_that_are_left_are_reported(clock: Clock) -> None:
    limits = Limits()
    policy = LimitsPolicy(limits, "a place", clock)
    answer(policy, x_ms_ratelimit_remaining_subscription_writes="0")
    answer(policy, x_ms_ratelimit_remaining_subscription_writes="many")
    assert limits.told == [("a place", 0, NOW)]


def test_only_clients_with_limits_report_them(clock: Clock) -> None:
    kinds = [type(one) for one in pipeline.observing(clock, Limits(), "a place")]
    assert kinds == [DatePolicy, LimitsPolicy]
    assert [type(one) for one in pipeline.observing(clock, None, "a place")] == [DatePolicy]


def test_no_client_retries_follows_a_redirect_or_logs(clock: Clock) -> None:
    found = pipeline.client_options(clock, more=1)
    (policy,) = found.pop("per_call_policies")
    assert isinstance(policy, DatePolicy)
    usual = {"retry_total": 0, "logging_enable": False, **TIMEOUTS}
    assert found == {**usual, "permit_redirects": False, "more": 1}
    assert pipeline.storage_options() == usual


async def test_the_transport_sends_every_request_once() -> None:
    transport = pipeline.no_retry_transport()
    config = transport.connection_config
    assert (config.timeout, config.read_timeout) == (5, 30)
    await transport.open()
    assert transport.session is not None
    assert transport.session._retry_connection is False
    await transport.close()
