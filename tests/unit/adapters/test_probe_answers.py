"""The meaning of an answer of the data plane for the key that was used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.adapters.probe_answers import LONGEST_WAIT, inconclusive, verdict
from rotation.adapters.probe_hosts import host_of
from rotation.domain.cloud import PUBLIC
from rotation.domain.probing import ProbeResult, ProbeVerdict

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACCEPTED, ANSWERED = ProbeResult.ACCEPTED, ProbeResult.ANSWERED
REFUSED, INCONCLUSIVE = ProbeResult.REFUSED, ProbeResult.INCONCLUSIVE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (199, INCONCLUSIVE),
        (200, ACCEPTED),
        (299, ACCEPTED),
        (300, INCONCLUSIVE),
        (399, INCONCLUSIVE),
        (400, ANSWERED),
        (401, REFUSED),
        (402, ANSWERED),
        (403, INCONCLUSIVE),
        (404, ANSWERED),
        (408, INCONCLUSIVE),
        (425, INCONCLUSIVE),
        (429, INCONCLUSIVE),
        (499, ANSWERED),
        (500, INCONCLUSIVE),
        (503, INCONCLUSIVE),
    ],
)
def test_401_refuses_2xx_accepts_and_other_4xx_are_answers(
    status: int, expected: ProbeResult
) -> None:
    found = verdict("host", status, now=NOW)
    assert (found.result, found.retry_after) == (expected, None)
    assert found.detail.startswith(f"host answered {status}")


@pytest.mark.parametrize(
    ("body", "expected", "says"),
    [
        (b"", INCONCLUSIVE, "unknown reason"),
        (b"AuthenticationTypeDisabled", INCONCLUSIVE, "key authentication is disabled"),
        (b"denied by Virtual Network rules", INCONCLUSIVE, "network access"),
        (b"denied by Firewall", INCONCLUSIVE, "network access"),
        (b"Public access is disabled", INCONCLUSIVE, "network access"),
        (b"use a private endpoint", INCONCLUSIVE, "network access"),
        (b"Missing approval", ANSWERED, "not approved"),
        (b"UnsupportedFeature", ANSWERED, "not approved"),
        (b"apply for access", ANSWERED, "not approved"),
        (b"out of call volume Quota", ANSWERED, "quota is used up"),
        (b"firewall quota", INCONCLUSIVE, "network access"),
        (b"missing approval, quota", ANSWERED, "not approved"),
    ],
)
def test_a_403_is_an_answer_only_if_the_key_was_checked(
    body: bytes, expected: ProbeResult, says: str
) -> None:
    found = verdict("host", 403, body, "7", NOW)
    assert (found.result, found.retry_after) == (expected, None)
    assert "host" in found.detail
    assert says in found.detail


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("", None),
        ("soon", None),
        (" 7 ", timedelta(seconds=7)),
        ("000000007", timedelta(seconds=7)),
        ("3600", LONGEST_WAIT),
        ("3601", LONGEST_WAIT),
        ("9" * 5000, LONGEST_WAIT),
        ("-7", None),
        ("٣", None),
        ("Sat, 28 Nov 2026 12:00:07 GMT", timedelta(seconds=7)),
        ("Sat, 28 Nov 2026 11:00:00 GMT", timedelta()),
        ("Sun, 29 Nov 2026 12:00:00 GMT", LONGEST_WAIT),
        ("Sat, 28 Nov 2026 12:00:07 -0000", None),
        (f"Sat, 28 Nov {'9' * 30} 12:00:07 GMT", None),
    ],
)
def test_the_wait_is_given_in_seconds_or_until_a_date(text: str, wait: timedelta | None) -> None:
    assert verdict("host", 503, b"", text, NOW).retry_after == wait
    assert verdict("host", 200, b"", text, NOW).retry_after is None


def test_only_a_429_is_a_limit_of_the_rate() -> None:
    assert "rate" in verdict("host", 429).detail
    assert "rate" not in verdict("host", 503).detail


def test_a_date_counts_from_now() -> None:
    found = verdict("host", 503, b"", "Fri, 01 Jan 2100 00:00:00 GMT")
    assert found.retry_after == LONGEST_WAIT


def test_what_says_nothing_has_a_detail() -> None:
    assert inconclusive("d") == ProbeVerdict(INCONCLUSIVE, "d")


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://acct.openai.azure.com/", "acct.openai.azure.com"),
        ("HTTPS://Acct.OpenAI.azure.com:443/x", "acct.openai.azure.com"),
        ("http://acct.openai.azure.com", None),
        ("acct.openai.azure.com", None),
        ("https://openai.azure.com.evil.example", None),
        ("https://evil.example/.openai.azure.com", None),
        ("https://a_b.openai.azure.com", None),
        ("https://[.openai.azure.com", None),
        ("https://", None),
    ],
)
def test_only_hosts_of_the_clouds_accounts_receive_a_key(endpoint: str, host: str | None) -> None:
    assert host_of(endpoint, PUBLIC) == host
