"""Resource Manager: the registration of a subscription for a resource provider."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from emulator.azure import GROUP, SUBSCRIPTION, Azure
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential
from .conftest import arm, code, failure

PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"


@pytest.fixture(autouse=True)
def unregistered(azure: Azure) -> None:
    azure.exchanges.clear()  # a registration is not in the contract: the product never asks for one
    azure.arm.registrations.absent.add(SUBSCRIPTION)


def state(azure: Azure) -> str:
    return str(json.loads(arm(azure, PROVIDER).body)["registrationState"])


def test_without_a_registration_every_request_about_accounts_conflicts(azure: Azure) -> None:
    for method, path in (("GET", ""), ("POST", "/listKeys"), ("POST", "/regenerateKey")):
        refused = arm(azure, azure.account("aoai-demo").id + path, method)
        assert code(refused) == (409, "MissingSubscriptionRegistration")
    assert state(azure) == "NotRegistered"


def test_a_registration_takes_a_while(azure: Azure) -> None:
    assert arm(azure, f"{PROVIDER}/register", "POST").status == 200
    assert state(azure) == "Registering"
    assert arm(azure, azure.account("aoai-demo").id).status == 409
    azure.advance(timedelta(minutes=1))
    assert state(azure) == "Registered"
    assert arm(azure, azure.account("aoai-demo").id).status == 200


def test_a_registration_needs_its_right(azure: Azure) -> None:
    reader = azure.add_principal("reader").assign("Reader", "/")
    refused = arm(azure, f"{PROVIDER}/register", "POST", principal=reader)
    assert code(refused) == (403, "AuthorizationFailed")
    assert state(azure) == "NotRegistered"


def test_the_sdk_registers_and_waits_in_steps_of_ten_seconds(
    azure: Azure, client: CognitiveServicesManagementClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda s: azure.advance(timedelta(seconds=s)))
    before = azure.clock.now()
    assert client.accounts.get(GROUP, "aoai-demo").name == "aoai-demo"
    assert azure.clock.now() - before == timedelta(minutes=1)


def test_the_sdk_without_the_right_to_register_gets_the_conflict(
    azure: Azure, transport: EmulatorTransport
) -> None:
    rotator = azure.add_principal("rotator").assign("Key rotator", "/")
    credential = Credential(azure, rotator)
    with (
        CognitiveServicesManagementClient(
            credential, SUBSCRIPTION, transport=transport, retry_total=0
        ) as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        client.accounts.get(GROUP, "aoai-demo")
    assert failure(caught) == (409, "MissingSubscriptionRegistration")
