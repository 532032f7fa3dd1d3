"""Any request gets a response: bad bodies, numbers and headers are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.azure import SUBSCRIPTION, Azure, virtual
from emulator.core.wire import Headers, Request, Response
from emulator.proxy.control import Control

ROLES = (
    "Owner",
    "Key Vault Secrets Officer",
    "Storage Blob Data Contributor",
    "Storage Queue Data Contributor",
    "EventGrid Data Sender",
)
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-keys/providers"
ACCOUNT = f"{PROVIDERS}/Microsoft.CognitiveServices/accounts/aoai"
LISTED = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts"
VAULT = f"{PROVIDERS}/Microsoft.KeyVault/vaults/kv"
PATHS = {
    "kv.vault.azure.net": (
        "/secrets",
        "/secrets/s",
        "/secrets/s/versions",
        "/secrets/restore",
        "/deletedsecrets/s/recover",
    ),
    "management.azure.com": (
        ACCOUNT,
        f"{ACCOUNT}/listKeys",
        f"{ACCOUNT}/regenerateKey",
        LISTED,
        VAULT,
    ),
    "aoai.openai.azure.com": ("/openai/models", "/openai/deployments/d/chat/completions"),
    "aoai.cognitiveservices.azure.com": ("/translate", "/sts/v1.0/issueToken"),
    "stdemo.blob.core.windows.net": ("/c", "/c/b"),
    "stdemo.queue.core.windows.net": ("/q", "/q/messages", "/q/messages/1"),
    "api.loganalytics.io": ("/v1/workspaces/w/query",),
    "topic.westeurope-1.eventgrid.azure.net": ("/api/events",),
}
AUDIENCES = {
    "kv.vault.azure.net": "https://vault.azure.net",
    "management.azure.com": "https://management.azure.com",
    "stdemo.blob.core.windows.net": "https://storage.azure.com",
    "stdemo.queue.core.windows.net": "https://storage.azure.com",
    "api.loganalytics.io": "https://api.loganalytics.io",
    "topic.westeurope-1.eventgrid.azure.net": "https://eventgrid.azure.net",
}
DEEP = b"[" * 100_000
BODIES = st.sampled_from(
    [
        b"",
        DEEP,
        b"NaN",
        b"\xff",
        b'{"value": "\\ud800"}',
        b'{"value": "v", "attributes": {"exp": 1e30}}',
        b'{"value": "v", "tags": {"a": null}}',
        b'{"keyName": {}}',
        b'{"query": "AZKVAuditLogs", "timespan": "P999999999999D"}',
        b'{"messages": [{"content": "\\ud800"}]}',
        b'<?xml version="1.0" encoding="utf-99"?><a/>',
        b"<QueueMessage><MessageText>x</MessageText></QueueMessage>",
    ]
) | st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
TEXTS = st.sampled_from(
    ["", "0", "-1", "²", "1e3", "9" * 30, "9" * 5000, "NaN", "*", "é", "bytes=5-2", "e30=", "W10="]
)
QUERY = st.dictionaries(
    st.sampled_from(
        [
            "maxresults",
            "$skiptoken",
            "visibilitytimeout",
            "messagettl",
            "numofmessages",
            "prefix",
            "marker",
            "delimiter",
            "include",
        ]
    ),
    TEXTS,
    max_size=2,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "If-Match",
            "If-None-Match",
            "x-ms-lease-duration",
            "x-ms-lease-break-period",
            "x-ms-lease-id",
            "x-ms-proposed-lease-id",
            "Range",
        ]
    ),
    TEXTS,
    max_size=3,
)
ACTIONS = st.sampled_from(["acquire", "renew", "change", "release", "break", "none"])
COMMON = ("api-version=2025-06-01", "restype=container", "comp=lease", "comp=list")
ACQUIRE = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "15"}
METHODS = st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "X"])


@dataclass(frozen=True)
class Target:
    host: str
    path: str


TARGETS = st.sampled_from([Target(host, path) for host, paths in PATHS.items() for path in paths])


def built() -> Azure:
    """Return an Azure with one of everything and a principal with all rights."""
    azure = virtual()
    azure.add_account("aoai")
    azure.add_vault("kv")
    azure.add_secret("kv", "s", publishes=("aoai", "Key1"))
    storage = azure.add_storage("stdemo")
    storage.blobs.create("c")
    storage.blobs.put("c", "b", Request("PUT", "", body=b"document"))
    storage.queues.create("q")
    azure.topics.add("topic")
    admin = azure.add_principal("admin")
    for role in ROLES:
        admin.assign(role, "/")
    return azure


def send(
    azure: Azure,
    method: str,
    target: Target,
    body: bytes,
    query: str = "",
    more: Mapping[str, str] | None = None,
) -> Response:
    headers = {
        "x-ms-version": "2025-01-05",
        "x-ms-blob-type": "BlockBlob",
        "api-key": azure.account("aoai").keys["Key1"],
    }
    if target.host in AUDIENCES:
        text = azure.identity.issue(azure.identity.principals[0], AUDIENCES[target.host])
        headers["Authorization"] = f"Bearer {text}"
    url = f"https://{target.host}{target.path}?{query}"
    return azure.handle(Request(method, url, Headers({**headers, **(more or {})}), body))


@settings(max_examples=500, deadline=None)
@given(METHODS, TARGETS, BODIES, QUERY, HEADERS, ACTIONS, st.sampled_from(COMMON))
def test_no_request_is_a_fault_of_the_emulator(
    method: str,
    target: Target,
    body: bytes,
    query: dict[str, str],
    headers: dict[str, str],
    action: str,
    common: str,
) -> None:
    text = "&".join([common, *(f"{name}={value}" for name, value in query.items())])
    more = {**headers, "x-ms-lease-action": action}
    response = send(built(), method, target, body, text, more)
    assert 200 <= response.status < 500
    response.body.decode()


@pytest.mark.parametrize(
    "body", [DEEP, b"NaN", b"\xff", b'{"value": "\\ud800"}', b'{"value": NaN}']
)
@pytest.mark.parametrize(
    ("host", "method", "path"),
    [
        ("kv.vault.azure.net", "PUT", "/secrets/n"),
        ("management.azure.com", "POST", f"{ACCOUNT}/regenerateKey"),
        ("api.loganalytics.io", "POST", "/v1/workspaces/w/query"),
        ("topic.westeurope-1.eventgrid.azure.net", "POST", "/api/events"),
    ],
)
def test_a_body_that_is_not_strict_json_is_refused_and_changes_nothing(
    host: str, method: str, path: str, body: bytes
) -> None:
    azure = built()
    before = dict(azure.account("aoai").keys)
    response = send(azure, method, Target(host, path), body, "api-version=2025-06-01")
    assert response.status == 400
    assert azure.account("aoai").keys == before
    assert "n" not in azure.vault("kv").secrets
    assert not any(azure.topics.received.values())


@pytest.mark.parametrize(
    ("period", "status"), [("0", 202), ("60", 202), ("61", 400), ("-1", 400), ("x", 400), ("", 400)]
)
def test_a_lease_is_broken_within_0_to_60_seconds(period: str, status: int) -> None:
    azure, blob = built(), Target("stdemo.blob.core.windows.net", "/c/b")
    send(azure, "PUT", blob, b"", "comp=lease", ACQUIRE)
    more = {"x-ms-lease-action": "break", "x-ms-lease-break-period": period}
    assert send(azure, "PUT", blob, b"", "comp=lease", more).status == status


@pytest.mark.parametrize("body", [b"[]", b"1", b'{"advance": 1e300}', b'{"advance": "NaN"}', DEEP])
async def test_the_control_api_refuses_bad_bodies(body: bytes) -> None:
    azure = virtual()
    before = azure.clock.now()
    response = await Control(azure).handle(Request("POST", "http://x/_emulator/clock", body=body))
    assert response.status == 400
    assert azure.clock.now() - before == timedelta()


@pytest.mark.parametrize("span", ["P999999999999D", "PT1.2.3S", "x"])
def test_a_bad_timespan_is_refused(span: str) -> None:
    body = json.dumps({"query": "AZKVAuditLogs", "timespan": span}).encode()
    found = send(built(), "POST", Target("api.loganalytics.io", "/v1/workspaces/w/query"), body)
    assert found.status == 400
    assert json.loads(found.body)["error"]["code"] == "BadArgumentError"
