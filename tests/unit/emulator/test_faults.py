"""Faults for any call, and the log of calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from emulator.azure import Azure
from emulator.core.contract import Violation
from emulator.core.faults import Fault
from emulator.core.wire import Dropped, Headers, Request
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport, EmulatorTransport

from .conftest import Credential

URL = "https://kv-demo.vault.azure.net"
MODELS = "https://aoai-demo.openai.azure.com/openai/models?api-version=2024-10-21"


@pytest.fixture
def client(
    azure: Azure, credential: Credential, transport: EmulatorTransport
) -> Iterator[SecretClient]:
    with SecretClient(URL, credential, transport=transport, retry_total=0) as client:
        client.set_secret("a", "x")
        yield client


def versions(azure: Azure) -> int:
    return len(azure.secret("kv-demo", "a").versions)


@pytest.mark.parametrize(("after", "made"), [(False, 0), (True, 1)])
def test_an_answer_fault_applies_before_or_after_the_effect(
    azure: Azure, client: SecretClient, after: bool, made: int
) -> None:
    azure.faults.add(Fault("answer", "keyvault.set_secret", status=502, after=after))
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret("a", "y")
    assert caught.value.status_code == 502
    assert versions(azure) == 1 + made


def test_a_late_effect_happens_after_its_delay(azure: Azure) -> None:
    vault = azure.vault("kv-demo")
    azure.faults.add(Fault("late", "keyvault.set_secret", seconds=60))
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"})
    body = json.dumps({"value": "x"}).encode()
    with pytest.raises(Dropped):
        azure.handle(Request("PUT", f"{URL}/secrets/a?api-version=7.4", headers, body))
    azure.advance(timedelta(seconds=59))
    assert not vault.secrets
    azure.advance(timedelta(seconds=1))
    assert versions(azure) == 1
    assert vault.secret("a").current.created == azure.clock.now()


def test_a_fault_hits_matching_calls_after_the_skipped_ones(
    azure: Azure, client: SecretClient
) -> None:
    azure.faults.add(Fault("answer", method="GET", match="*/secrets/a/*", status=500, skip=1))
    client.set_secret("a", "y")
    client.get_secret("a")
    with pytest.raises(HttpResponseError):
        client.get_secret("a")
    client.get_secret("a")


def test_a_delay_fault_does_not_delay_skipped_calls(azure: Azure, client: SecretClient) -> None:
    azure.faults.add(Fault("delay", "keyvault.get_secret", seconds=5, skip=1))
    before = azure.clock.now()
    client.get_secret("a")
    assert azure.clock.now() == before
    client.get_secret("a")
    assert azure.clock.now() - before == timedelta(seconds=5)


async def test_a_client_times_out_although_the_effect_has_happened(azure: Azure) -> None:
    azure.add_secret("kv-demo", "a", value="x")
    admin = azure.identity.principals[0]
    before = azure.clock.now()
    with SecretClient(
        URL, Credential(azure, admin), transport=EmulatorTransport(azure), retry_total=0
    ) as client:
        client.get_secret("a")
        azure.faults.add(Fault("delay", "keyvault.set_secret", seconds=60))
        with pytest.raises(ServiceResponseTimeoutError):
            client.set_secret("a", "y", read_timeout=30)
    async with AsyncSecretClient(
        URL, AsyncCredential(azure, admin), transport=AsyncEmulatorTransport(azure), retry_total=0
    ) as patient:
        await patient.get_secret("a")
        azure.faults.add(Fault("delay", "keyvault.set_secret", seconds=60))
        with pytest.raises(ServiceResponseTimeoutError):
            await patient.set_secret("a", "z", read_timeout=30)
    assert versions(azure) == 3
    assert azure.clock.now() - before == timedelta(seconds=60)


async def test_an_unknown_host_is_a_failed_connection(azure: Azure) -> None:
    admin = azure.identity.principals[0]
    async with AsyncSecretClient(
        "https://kv-nobody.vault.azure.net",
        AsyncCredential(azure, admin),
        transport=AsyncEmulatorTransport(azure),
        retry_total=0,
    ) as client:
        with pytest.raises(ServiceRequestError):
            await client.get_secret("a")


def test_the_call_log_names_principals_and_contains_no_keys(
    azure: Azure, client: SecretClient
) -> None:
    key = azure.account("aoai-demo").keys["Key1"]
    azure.handle(Request("GET", f"{MODELS}&subscription-key={key}", Headers({"api-key": key})))
    made = [(call.operation, call.principal, call.status) for call in azure.calls[-2:]]
    admin = azure.identity.principals[0].object_id
    assert made == [
        ("keyvault.set_secret", admin, 200),
        ("inference.openai_models", "", 200),
    ]
    assert key not in repr(azure.calls)


def test_every_response_has_the_emulators_date(azure: Azure) -> None:
    azure.skew = timedelta(minutes=-2)
    response = azure.handle(Request("GET", MODELS))
    assert response.headers["Date"] == "Sun, 22 Nov 2026 23:58:00 GMT"


def test_an_exchange_that_breaks_the_contract_is_a_violation() -> None:
    azure = Azure(check_contract=True)
    azure.add_account("aoai-demo")
    key = azure.account("aoai-demo").keys["Key1"]
    azure.handle(Request("GET", MODELS, Headers({"api-key": key})))
    azure.account("aoai-demo").endpoints = {"Token": 1}  # type: ignore[dict-item]
    owner = azure.add_principal("owner").assign("Owner", "/")
    token = azure.identity.issue(owner, "https://management.azure.com")
    url = f"https://management.azure.com{azure.account('aoai-demo').id}?api-version=2025-09-01"
    with pytest.raises(Violation, match=r"arm\.get_account"):
        azure.handle(Request("GET", url, Headers({"Authorization": f"Bearer {token}"})))


def test_observers_see_every_change_of_state(azure: Azure) -> None:
    seen: list[str] = []
    azure.observers.append(lambda what, detail: seen.append(what))
    azure.add_secret("kv-demo", "a", value="x")
    azure.regenerate_by_hand("aoai-demo", "Key1")
    assert seen == ["secret.set", "account.regenerating", "account.regenerated"]


def test_many_threads_can_call_at_the_same_time(azure: Azure) -> None:
    azure.arm.throttling.enforced = False
    owner = azure.identity.principals[0]
    token = azure.identity.issue(owner, "https://management.azure.com")
    url = f"https://management.azure.com{azure.account('aoai-demo').id}/regenerateKey"
    headers = Headers({"Authorization": f"Bearer {token}"})
    request = Request("POST", f"{url}?api-version=2025-09-01", headers, b'{"keyName": "Key1"}')
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(azure.handle, [request] * 400))
    assert len({json.loads(response.body)["key1"] for response in responses}) == 400
    assert len(azure.issued_keys()) == 402
