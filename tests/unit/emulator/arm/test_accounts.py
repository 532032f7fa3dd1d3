"""Resource Manager: accounts, their keys, and errors."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import KeyName

from emulator.azure import GROUP, SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential
from .conftest import arm, failure


def test_an_account_shows_its_properties(client: CognitiveServicesManagementClient) -> None:
    account = client.accounts.get(GROUP.upper(), "AOAI-demo")
    assert account.kind == "OpenAI"
    shown = account.properties
    assert shown is not None
    assert shown.provisioning_state == "Succeeded"
    assert shown.endpoint == "https://aoai-demo.openai.azure.com/"
    assert shown.disable_local_auth is None
    assert "OpenAI Language Model Instance API" in (shown.endpoints or {})


@pytest.mark.parametrize("setting", [True, False])
def test_disable_local_auth_is_shown_once_it_is_set(
    azure: Azure, client: CognitiveServicesManagementClient, setting: bool
) -> None:
    azure.account("aoai-demo").disable_local_auth = setting
    shown = client.accounts.get(GROUP, "aoai-demo").properties
    assert shown is not None
    assert shown.disable_local_auth is setting


def test_disable_local_auth_is_absent_while_it_is_unset(azure: Azure) -> None:
    body = json.loads(arm(azure, azure.account("aoai-demo").id).body)
    assert "disableLocalAuth" not in body["properties"]


def test_system_data_names_the_last_change(azure: Azure) -> None:
    data = json.loads(arm(azure, azure.account("aoai-demo").id).body)["systemData"]
    assert data["lastModifiedAt"] == data["createdAt"] == "2026-11-23T00:00:00.0000000Z"
    assert data["lastModifiedBy"] == data["createdBy"]
    assert data["lastModifiedByType"] == data["createdByType"] == "User"


def test_lists_are_paged_by_subscription_and_by_group(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.arm.page = 2
    for number in range(4):
        azure.add_account(f"more-{number}", group="rg-other", kind="SpeechServices")
    assert len(list(client.accounts.list())) == 5
    assert len(list(client.accounts.list_by_resource_group("rg-other"))) == 4


def test_regenerating_a_key_returns_both_and_leaves_the_other_unchanged(
    client: CognitiveServicesManagementClient,
) -> None:
    before = client.accounts.list_keys(GROUP, "aoai-demo")
    response = client.accounts.regenerate_key(GROUP, "aoai-demo", KeyName.KEY1)
    after = client.accounts.list_keys(GROUP, "aoai-demo")
    assert (response.key1, response.key2) == (after.key1, after.key2)
    assert after.key1 != before.key1
    assert after.key2 == before.key2


@pytest.mark.parametrize("name", ["key1", "KEY2", "Key3", "{'keyName': 'Key1'}"])
def test_key_names_are_case_sensitive(client: CognitiveServicesManagementClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.regenerate_key(GROUP, "aoai-demo", name)
    assert failure(caught) == (400, "BadRequest")


def test_the_sdk_sends_a_regenerate_again_after_a_503_by_default(
    azure: Azure, credential: Credential, transport: EmulatorTransport
) -> None:
    azure.faults.add(Fault("answer", "arm.regenerate_key", status=503, after=True))
    with CognitiveServicesManagementClient(credential, SUBSCRIPTION, transport=transport) as client:
        client.accounts.regenerate_key(GROUP, "aoai-demo", "Key1")
    sends = [call for call in azure.calls if call.operation == "arm.regenerate_key"]
    assert len(sends) == 2


@pytest.mark.parametrize(
    ("group", "name", "code"),
    [(GROUP, "nope", "ResourceNotFound"), ("rg-nope", "x-y", "ResourceGroupNotFound")],
)
def test_an_error_names_the_missing_resource_or_group(
    client: CognitiveServicesManagementClient, group: str, name: str, code: str
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.get(group, name)
    assert failure(caught) == (404, code)


def test_listing_keys_is_a_bad_request_if_local_authentication_is_disabled(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").disable_local_auth = True
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.list_keys(GROUP, "aoai-demo")
    assert failure(caught) == (400, "BadRequest")
    assert "disableLocalAuth" in str(caught.value)


def test_post_actions_are_refused_while_an_account_is_provisioning(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").provisioning_state = "Accepted"
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.regenerate_key(GROUP, "aoai-demo", "Key1")
    assert failure(caught) == (409, "AccountProvisioningStateInvalid")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/subscriptions/none/providers/Microsoft.KeyVault/vaults", 404),
        (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.KeyVault"
            "/vaults/kv-demo/providers/Microsoft.Authorization/permissions",
            404,
        ),
    ],
)
def test_a_vault_exists_only_in_its_own_subscription_and_group(
    azure: Azure, path: str, status: int
) -> None:
    assert arm(azure, path).status == status


def test_keys_of_the_newer_kinds_are_long(azure: Azure) -> None:
    speech = azure.add_account("speech", kind="SpeechServices")
    assert {len(key) for key in azure.account("aoai-demo").keys.values()} == {84}
    assert {len(key) for key in speech.keys.values()} == {32}


def test_a_forged_skip_token_is_a_bad_request(azure: Azure) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts"
    token = azure.identity.issue(azure.identity.principals[0], "https://management.azure.com")
    url = f"https://management.azure.com{path}?api-version=2025-09-01&$skiptoken=demo"
    response = azure.handle(Request("GET", url, Headers({"Authorization": f"Bearer {token}"})))
    assert response.status == 400


def test_a_restricted_network_is_shown(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.add_account("private", default_action="Deny", ip_rules=("203.0.113.0/24",))
    shown = client.accounts.get(GROUP, "private").properties
    assert shown is not None
    assert shown.network_acls is not None
    assert shown.network_acls.bypass == "AzureServices"
    assert [rule.value for rule in shown.network_acls.ip_rules or ()] == ["203.0.113.0/24"]
