"""The figures of the load test, over plain data."""

from __future__ import annotations

import pytest

from benchmarks.load.plan import CONTROL, Consumer
from benchmarks.load.results import (
    Figures,
    Published,
    Request,
    Span,
    causes,
    figures,
    staleness,
)

APP, CONTROLLED = 1, 2
CONSUMERS = {
    number: Consumer(number, kind, "id", "vault", "secret", "endpoint", 1.0, 1.0)
    for number, kind in ((APP, "httpx"), (CONTROLLED, CONTROL))
}
PUBLISHED = {"secret": [Published("v1", 0.0), Published("v2", 10.0), Published("v3", 20.0)]}


def counted(*requests: Request, emergency: Span | None = None) -> Figures:
    emergencies = {"secret": emergency} if emergency else {}
    return figures(requests, CONSUMERS, PUBLISHED, emergencies)


def test_a_request_that_succeeds_when_it_is_repeated_is_a_first_401_and_no_failure() -> None:
    found = counted(Request(11.0, APP, "v1", (401, 200)))
    assert (found.requests, found.first_401, found.failed) == (1, 1, 0)


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (Request(1.0, APP, "v1", (401, 401), "AuthenticationError"), "httpx: 401"),
        (Request(1.0, APP, "v1", (401,)), "httpx: 401"),
        (Request(1.0, APP, "v1", (429,)), "httpx: 429"),
        (Request(1.0, APP, "v1", (), "ConnectError"), "httpx: ConnectError"),
        (Request(1.0, APP, "v1", (200,), "ReadError"), "httpx: ReadError"),
    ],
)
def test_any_other_end_is_a_failure_with_its_cause(request_: Request, cause: str) -> None:
    assert counted(request_).failed == 1
    assert causes([request_], CONSUMERS) == {cause: 1}


def test_failures_in_an_emergency_are_counted_apart() -> None:
    during, after = Request(5.0, APP, "v1", (401,)), Request(9.0, APP, "v1", (401,))
    found = counted(during, after, emergency=Span(4.0, 8.0))
    assert (found.failed_in_emergency, found.failed) == (1, 1)


def test_the_control_is_counted_apart_and_must_fail() -> None:
    good, bad = Request(1.0, APP, "v1", (200,)), Request(99.0, CONTROLLED, "v1", (401,))
    found = counted(good, bad)
    assert (found.requests, found.failed, found.control_failed) == (1, 0, 1)
    assert found.longest_staleness_seconds == 0
    assert found.passed
    assert not counted(good).passed
    assert not counted(bad, Request(1.0, APP, "v1", (401,))).passed


def test_staleness_counts_from_the_next_version() -> None:
    assert staleness(Request(13.0, APP, "v1", (200,)), PUBLISHED["secret"]) == 3.0
    assert staleness(Request(33.0, APP, "v1", (200,)), PUBLISHED["secret"]) == 23.0
    assert staleness(Request(33.0, APP, "v3", (200,)), PUBLISHED["secret"]) == 0.0


def test_a_request_survives_its_line() -> None:
    request = Request(1.5, APP, "v1", (401, 200))
    assert Request.parse(request.line()) == request
