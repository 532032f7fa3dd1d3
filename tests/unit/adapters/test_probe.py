"""The hosts that may receive a key, and the meaning of each answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.azure import Azure, virtual
from emulator.core.faults import Fault
from emulator.core.wire import Request, Response
from emulator.sdk.transport import AsyncEmulatorTransport
from rotation.adapters.probe import DataPlaneProbe
from rotation.adapters.probe_answers import verdict
from rotation.domain.account import Account
from rotation.domain.cloud import CHINA, US_GOVERNMENT, Cloud
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key
from rotation.domain.probe_calls import CALLS, ProbeCall
from rotation.domain.probing import ProbeResult, accepts

ACCOUNT = AccountId("s", "g", "aoai-demo")
ENDPOINT = "https://aoai-demo.openai.azure.com/"
RANDOM_KEY = Key("f" * 84)


class Listening(AsyncEmulatorTransport):
    """Remembers every request."""

    def __init__(self, azure: Azure) -> None:
        super().__init__(azure)
        self.urls: list[str] = []
        self.requests: list[Request] = []

    async def exchange(self, request: Request) -> Response:
        self.urls.append(request.url)
        self.requests.append(request)
        return await super().exchange(request)


@pytest.fixture
def azure() -> Azure:
    azure = virtual()
    azure.add_account("aoai-demo")
    return azure


@pytest.fixture
def transport(azure: Azure) -> Listening:
    return Listening(azure)


@pytest.fixture
def probe(transport: Listening) -> DataPlaneProbe:
    return DataPlaneProbe(lambda: transport)


def account(endpoint: str = ENDPOINT, kind: str = "OpenAI", **more: Any) -> Account:
    return Account(ACCOUNT, kind, endpoint, **more)


def key(azure: Azure) -> Key:
    return Key(azure.account("aoai-demo").keys["Key1"])


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://aoai-demo.openai.azure.com/",
        "https://evil.example/",
        "https://openai.azure.com.evil.example/",
        "https://evil-openai.azure.com/",
        "https://aoai-demo.openai.azure.com@evil.example/",
        "https://evil.example\\.openai.azure.com/",
        "https://evil.example#.openai.azure.com/",
        "https://[bad",
        "aoai-demo.openai.azure.com",
        "",
        "https://aoai-demo.openai.azure.cn/",
    ],
)
async def test_no_key_is_sent_outside_the_clouds_domains(
    probe: DataPlaneProbe, transport: Listening, azure: Azure, endpoint: str
) -> None:
    found = await probe.try_key(account(endpoint), key(azure))
    assert found.result is ProbeResult.INCONCLUSIVE
    assert "no key is sent" in found.detail
    assert transport.urls == []


async def test_no_key_is_sent_to_a_foreign_address_in_the_endpoints_by_api(
    probe: DataPlaneProbe, transport: Listening, azure: Azure
) -> None:
    foreign = {"OpenAI Language Model Instance API": "https://evil.example/"}
    found = await probe.try_key(account(kind="AIServices", endpoints=foreign), key(azure))
    assert found.result is ProbeResult.INCONCLUSIVE
    assert transport.urls == []


@pytest.mark.parametrize(
    "path", ["", "/", "openai/deployments/x", "/openai/v1?x=1#y", "@evil.example", "/@evil.example"]
)
async def test_only_the_host_of_the_endpoint_is_used(
    probe: DataPlaneProbe, transport: Listening, azure: Azure, path: str
) -> None:
    endpoint = ENDPOINT + path.removeprefix("/") if path else ENDPOINT
    found = await probe.try_key(account(endpoint), key(azure))
    assert found.result is ProbeResult.ACCEPTED
    assert transport.urls == [ENDPOINT + "openai/models?api-version=2024-10-21"]


@pytest.mark.parametrize(
    ("cloud", "endpoint"),
    [
        (US_GOVERNMENT, "https://x.openai.azure.us/"),
        (US_GOVERNMENT, "https://virginia.api.cognitive.microsoft.us/"),
        (US_GOVERNMENT, "https://api.cognitive.microsofttranslator.us/"),
        (CHINA, "https://x.cognitiveservices.azure.cn/"),
        (CHINA, "https://api.translator.azure.cn/"),
    ],
)
async def test_a_sovereign_cloud_has_its_own_domains(
    transport: Listening, cloud: Cloud, endpoint: str
) -> None:
    probe = DataPlaneProbe(lambda: transport, cloud)
    assert "no key is sent" not in (await probe.try_key(account(endpoint), RANDOM_KEY)).detail
    assert "no key is sent" in (await probe.try_key(account(), RANDOM_KEY)).detail


@pytest.mark.parametrize("value", ["two words", "a;b", '{"a":1}', "a\nb", "schlüssel", "", "a:b@c"])
async def test_a_value_that_cannot_be_a_key_is_never_sent(
    probe: DataPlaneProbe, transport: Listening, value: str
) -> None:
    found = await probe.try_key(account(), Key(value))
    assert found.result is ProbeResult.INCONCLUSIVE
    assert transport.urls == []


async def test_a_kind_without_a_rule_is_tried_with_the_token_call(
    probe: DataPlaneProbe, azure: Azure
) -> None:
    """The call is not offered for this kind, but the key is checked first: 401 or 404."""
    azure.add_account("rare", kind="CustomVision.Prediction")
    rare = azure.account("rare")
    asked = Account(AccountId("s", "g", "rare"), rare.kind, rare.endpoint)
    tried = await probe.try_key(asked, Key(rare.keys["Key1"]))
    control = await probe.try_random(asked, Key(rare.keys["Key1"]))
    assert (tried.result, control.result) == (ProbeResult.ANSWERED, ProbeResult.REFUSED)
    assert accepts(tried, control)


NETWORK = (
    b'{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}'
)
NO_PUBLIC = (
    b'{"error":{"code":"403","message":"Public access is disabled. Please configure private"}}'
)
KEYS_OFF = b'{"error":{"code":"AuthenticationTypeDisabled","message":"Key based ..."}}'
FEATURE = (
    b'{"error":{"code":"UnsupportedFeature","message":"... missing approval for one or more"}}'
)
QUOTA = b'{"error":{"code":"403","message":"Out of call volume quota. Quota will be replenished"}}'


@pytest.mark.parametrize(
    ("status", "body", "result", "says"),
    [
        (200, b"", ProbeResult.ACCEPTED, "200"),
        (204, b"", ProbeResult.ACCEPTED, "204"),
        (401, b"", ProbeResult.REFUSED, "401"),
        (302, b"", ProbeResult.INCONCLUSIVE, "302"),
        (429, b"", ProbeResult.INCONCLUSIVE, "rate"),
        (500, b"", ProbeResult.INCONCLUSIVE, "500"),
        (503, b"", ProbeResult.INCONCLUSIVE, "503"),
        (403, b"<html>nobody knows</html>", ProbeResult.INCONCLUSIVE, "unknown reason"),
        (403, NETWORK, ProbeResult.INCONCLUSIVE, "network access is denied; allow"),
        (403, NO_PUBLIC, ProbeResult.INCONCLUSIVE, "network access is denied; allow"),
        (403, KEYS_OFF, ProbeResult.INCONCLUSIVE, "disabled"),
        (403, FEATURE, ProbeResult.ANSWERED, "not approved"),
        (403, QUOTA, ProbeResult.ANSWERED, "quota"),
        (404, b"", ProbeResult.ANSWERED, "404"),
        (400, b"", ProbeResult.ANSWERED, "400"),
    ],
)
def test_what_each_answer_says(status: int, body: bytes, result: ProbeResult, says: str) -> None:
    found = verdict("host", status, body)
    assert found.result is result
    assert says in found.detail


NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("6", timedelta(seconds=6)),
        ("999999999999", timedelta(hours=1)),
        ("Sat, 28 Nov 2026 10:00:30 GMT", timedelta(seconds=30)),
        ("Sat, 28 Nov 2020 10:00:30 GMT", timedelta()),
        ("Sat, 28 Nov 2026 10:00:30", None),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_how_long_to_wait_is_read_from_the_answer(header: str, wait: timedelta | None) -> None:
    assert verdict("host", 429, retry_after=header, now=NOW).retry_after == wait


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_each_call_has_its_method_its_header_and_its_body(
    transport: Listening, azure: Azure, call: ProbeCall
) -> None:
    probe = DataPlaneProbe(lambda: transport, overrides={"openai": call})
    await probe.try_key(account(location="West Europe"), key(azure))
    (request,) = transport.requests
    headers = {name.lower(): text for name, text in request.headers.items()}
    assert (request.method, request.body) == (call.method, call.body.encode())
    assert request.url.endswith(call.path)
    assert headers[call.header.lower()] == key(azure).reveal()
    assert headers.get("content-type") == ("application/json" if call.body else None)
    assert headers.get("ocp-apim-subscription-region") == ("westeurope" if call.by_region else None)
    assert call.method == "GET" or headers["content-length"] == str(len(call.body))


@pytest.mark.parametrize(("length", "expected"), [(4, 32), (32, 32), (84, 84)])
async def test_the_control_is_a_random_key_as_long_as_the_real_one(
    probe: DataPlaneProbe, transport: Listening, length: int, expected: int
) -> None:
    for _ in range(2):
        found = await probe.try_random(account(), Key("k" * length))
        assert found.result is ProbeResult.REFUSED
    first, second = (request.headers["api-key"] for request in transport.requests)
    assert len(first) == len(second) == expected
    assert first != second


async def test_only_the_body_of_a_403_is_read(probe: DataPlaneProbe, azure: Azure) -> None:
    body = {"error": {"code": "403", "message": "Out of call volume quota."}}
    azure.faults.add(Fault("answer", "inference.*", status=403, body=body))
    found = await probe.try_key(account(), key(azure))
    assert (found.result, "quota" in found.detail) == (ProbeResult.ANSWERED, True)


async def test_how_long_an_answer_asks_to_wait_is_passed_on(
    probe: DataPlaneProbe, azure: Azure
) -> None:
    azure.faults.add(
        Fault("answer", "inference.*", status=429, headers={"Retry-After": "7"}, body={})
    )
    assert (await probe.try_key(account(), key(azure))).retry_after == timedelta(seconds=7)


async def test_its_connections_are_closed(probe: DataPlaneProbe, transport: Listening) -> None:
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    transport.close = close  # type: ignore[method-assign]
    await probe.close()
    assert closed == [], "nothing was opened"
    await probe.try_key(account(), RANDOM_KEY)
    await probe.close()
    assert closed == [True]


@pytest.mark.parametrize("status", [200, 302, 403, 404, 429, 500])
async def test_an_answer_that_both_keys_get_proves_nothing(
    probe: DataPlaneProbe, azure: Azure, status: int
) -> None:
    body = {"error": {"code": str(status), "message": "everybody gets this"}}
    azure.faults.add(Fault("answer", "inference.*", status=status, body=body, times=9))
    tried = await probe.try_key(account(), key(azure))
    control = await probe.try_random(account(), key(azure))
    assert not accepts(tried, control)
