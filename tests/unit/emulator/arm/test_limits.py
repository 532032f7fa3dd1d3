"""Resource Manager: authentication, rights, locks and throttling."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from emulator.azure import GROUP, SUBSCRIPTION, Azure
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential
from .conftest import arm, code, failure


def test_a_lock_forbids_post_actions_but_not_reads(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").locked = True
    client.accounts.get(GROUP, "aoai-demo")
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.list_keys(GROUP, "aoai-demo")
    assert failure(caught) == (409, "ScopeLocked")


@pytest.mark.parametrize(
    "scope",
    [
        f"/subscriptions/{SUBSCRIPTION}",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP.upper()}",
    ],
)
def test_a_lock_on_a_scope_above_the_account_forbids_post_actions(
    azure: Azure, client: CognitiveServicesManagementClient, scope: str
) -> None:
    azure.lock(scope)
    client.accounts.get(GROUP, "aoai-demo")
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.regenerate_key(GROUP, "aoai-demo", "Key1")
    assert failure(caught) == (409, "ScopeLocked")
    assert f"locked: '{scope}'" in str(caught.value)


def test_a_lock_on_another_group_forbids_nothing(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.lock(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}-other")
    client.accounts.list_keys(GROUP, "aoai-demo")


def test_a_lock_against_deletion_forbids_neither_reads_nor_key_operations(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.lock(azure.account("aoai-demo").id, "CanNotDelete")
    client.accounts.list_keys(GROUP, "aoai-demo")
    client.accounts.regenerate_key(GROUP, "aoai-demo", "Key1")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("", "MissingApiVersionParameter"),
        ("newest", "InvalidApiVersionParameter"),
        ("2099-01-01", "NoRegisteredProviderFound"),
    ],
)
def test_an_unknown_api_version_is_refused(azure: Azure, version: str, expected: str) -> None:
    token = azure.identity.issue(azure.identity.principals[0], "https://management.azure.com/")
    headers = Headers({"Authorization": f"Bearer {token}"})
    url = f"https://management.azure.com{azure.account('aoai-demo').id}?api-version={version}"
    assert code(azure.handle(Request("GET", url, headers))) == (400, expected)


def test_every_response_names_its_route_and_time(azure: Azure) -> None:
    """Resource Manager: x-ms-routing-request-id is REGION:TIME:ID."""
    for path in (azure.account("aoai-demo").id, "/nothing"):
        headers = arm(azure, path).headers
        route = headers["x-ms-routing-request-id"]
        assert route == f"WESTEUROPE:20261123T000000Z:{headers['x-ms-request-id']}"


def test_names_of_query_parameters_compare_without_case(azure: Azure) -> None:
    """The names are those of ASP.NET: clients write Api-Version and $skipToken too."""
    token = azure.identity.issue(azure.identity.principals[0], "https://management.azure.com/")
    headers = Headers({"Authorization": f"Bearer {token}"})
    url = f"https://management.azure.com{azure.account('aoai-demo').id}?API-Version=2025-09-01"
    assert azure.handle(Request("GET", url, headers)).status == 200


def test_rights_depend_on_action_and_scope(azure: Azure, transport: EmulatorTransport) -> None:
    azure.add_account("other")
    scope = azure.account("aoai-demo").id
    rotator = azure.add_principal("rotator").assign("Key rotator", scope)
    credential = Credential(azure, rotator)
    with CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, transport=transport, retry_total=0
    ) as client:
        client.accounts.regenerate_key(GROUP, "aoai-demo", "Key2")
        assert [account.name for account in client.accounts.list()] == ["aoai-demo"]
        with pytest.raises(HttpResponseError) as caught:
            client.accounts.list_keys(GROUP, "other")
    assert failure(caught) == (403, "AuthorizationFailed")
    assert "Microsoft.CognitiveServices/accounts/listKeys/action" in str(caught.value)


def test_the_write_bucket_holds_200_tokens_and_gains_10_each_second(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    for _ in range(200):
        client.accounts.list_keys(GROUP, "aoai-demo")
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.list_keys(GROUP, "aoai-demo")
    assert caught.value.status_code == 429
    assert int(caught.value.response.headers["Retry-After"]) >= 1  # type: ignore[union-attr]
    client.accounts.get(GROUP, "aoai-demo")
    azure.advance(timedelta(seconds=1))
    for _ in range(10):
        client.accounts.list_keys(GROUP, "aoai-demo")


def test_all_principals_together_have_fifteen_times_the_limit_of_one(azure: Azure) -> None:
    path = azure.account("aoai-demo").id
    for number in range(15):
        principal = azure.add_principal(f"p{number}").assign("Reader", "/")
        responses = [arm(azure, path, principal=principal).status for _ in range(250)]
        assert set(responses) == {200}
    late = azure.add_principal("late").assign("Reader", "/")
    refused = arm(azure, path, principal=late)
    assert code(refused) == (429, "SubscriptionRequestsThrottled")
    assert refused.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "0"


def test_reads_about_vaults_use_the_same_bucket(azure: Azure) -> None:
    name = "x-ms-ratelimit-remaining-subscription-reads"
    vaults = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults"
    assert arm(azure, vaults).headers[name] == "249"
    assert arm(azure, azure.account("aoai-demo").id).headers[name] == "248"
    tenant = arm(azure, "/subscriptions").headers
    assert tenant["x-ms-ratelimit-remaining-tenant-reads"] == "249"


def test_a_contributor_may_regenerate_keys_and_a_cognitive_services_user_may_only_list_them(
    azure: Azure,
) -> None:
    path = azure.account("aoai-demo").id
    contributor = azure.add_principal("c").assign("Contributor", "/")
    user = azure.add_principal("u").assign("Cognitive Services User", "/")
    body = b'{"keyName": "Key1"}'
    for principal, allowed in ((contributor, 200), (user, 403)):
        regenerate = f"{path}/regenerateKey"
        assert arm(azure, f"{path}/listKeys", "POST", principal=principal).status == 200
        assert arm(azure, regenerate, "POST", body, principal).status == allowed


def test_an_unknown_subscription_is_not_found_even_without_rights(azure: Azure) -> None:
    azure.identity.principals[0].assignments.clear()
    path = "/subscriptions/nope/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
    assert code(arm(azure, path)) == (404, "SubscriptionNotFound")
    assert code(arm(azure, azure.account("aoai-demo").id)) == (403, "AuthorizationFailed")


def test_every_path_requires_a_token(azure: Azure) -> None:
    for path in (azure.account("aoai-demo").id, "/subscriptions/x/nothing"):
        url = f"https://management.azure.com{path}?api-version=2025-09-01"
        response = azure.handle(Request("GET", url))
        assert code(response) == (401, "AuthenticationFailed")
        assert response.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_error_responses_show_the_remaining_requests(azure: Azure) -> None:
    response = arm(azure, azure.account("aoai-demo").id + "/regenerateKey", "POST", b"{}")
    assert code(response) == (400, "InvalidRequestContent")
    assert response.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    assert response.headers["x-ms-ratelimit-remaining-subscription-global-writes"] == "2999"


def test_the_permissions_api_lists_the_roles_above_an_account(azure: Azure) -> None:
    path = azure.account("aoai-demo").id + "/providers/Microsoft.Authorization/permissions"
    (owner, _) = json.loads(arm(azure, path).body)["value"]
    assert owner["actions"] == ["*"]
