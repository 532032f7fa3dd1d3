"""Resource Manager for Azure AI accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import KeyName

from emulator.azure import GROUP, SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.core.identity import Principal
from emulator.core.wire import Headers, Request, Response
from emulator.sdk.transport import EmulatorTransport

from .conftest import Credential


@pytest.fixture
def client(
    credential: Credential, transport: EmulatorTransport
) -> Iterator[CognitiveServicesManagementClient]:
    with CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, transport=transport, retry_total=0
    ) as client:
        yield client


def failing(exc: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    return exc.value.status_code, exc.value.error.code if exc.value.error else None


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


def test_regenerating_one_key_leaves_the_other_and_answers_both(
    client: CognitiveServicesManagementClient,
) -> None:
    before = client.accounts.list_keys(GROUP, "aoai-demo")
    answer = client.accounts.regenerate_key(GROUP, "aoai-demo", KeyName.KEY1)
    after = client.accounts.list_keys(GROUP, "aoai-demo")
    assert (answer.key1, answer.key2) == (after.key1, after.key2)
    assert after.key1 != before.key1
    assert after.key2 == before.key2


@pytest.mark.parametrize("name", ["key1", "KEY2", "Key3", "{'keyName': 'Key1'}"])
def test_the_keys_name_is_case_sensitive(
    client: CognitiveServicesManagementClient, name: str
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.regenerate_key(GROUP, "aoai-demo", name)
    assert failing(caught) == (400, "BadRequest")


def test_the_sdk_repeats_a_regenerate_unless_it_is_told_not_to(
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
def test_what_is_not_there_says_which_part(
    client: CognitiveServicesManagementClient, group: str, name: str, code: str
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.get(group, name)
    assert failing(caught) == (404, code)


def test_key_authentication_switched_off_is_a_bad_request(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").disable_local_auth = True
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.list_keys(GROUP, "aoai-demo")
    assert failing(caught) == (400, "BadRequest")
    assert "disableLocalAuth" in str(caught.value)


def test_a_lock_forbids_post_actions_but_not_reads(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").locked = True
    client.accounts.get(GROUP, "aoai-demo")
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.list_keys(GROUP, "aoai-demo")
    assert failing(caught) == (409, "ScopeLocked")


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
    assert failing(caught) == (409, "ScopeLocked")
    assert f"locked: '{scope}'" in str(caught.value)


def test_a_lock_on_another_group_forbids_nothing(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.lock(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}-other")
    client.accounts.list_keys(GROUP, "aoai-demo")


def test_an_account_that_is_being_changed_has_no_keys_now(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.account("aoai-demo").provisioning_state = "Accepted"
    with pytest.raises(HttpResponseError) as caught:
        client.accounts.regenerate_key(GROUP, "aoai-demo", "Key1")
    assert failing(caught) == (409, "AccountProvisioningStateInvalid")


def test_rights_are_by_action_and_scope(azure: Azure, transport: EmulatorTransport) -> None:
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
    assert failing(caught) == (403, "AuthorizationFailed")
    assert "Microsoft.CognitiveServices/accounts/listKeys/action" in str(caught.value)


def test_the_token_bucket_of_writes_holds_200_and_refills_10_a_second(
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


def test_all_principals_share_fifteen_times_the_limit_of_one(azure: Azure) -> None:
    path = azure.account("aoai-demo").id
    for number in range(15):
        principal = azure.add_principal(f"p{number}").assign("Reader", "/")
        answers = [arm(azure, path, principal=principal).status for _ in range(250)]
        assert set(answers) == {200}
    late = azure.add_principal("late").assign("Reader", "/")
    refused = arm(azure, path, principal=late)
    assert code(refused) == (429, "SubscriptionRequestsThrottled")
    assert refused.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "0"


def test_reads_about_vaults_spend_tokens_of_the_same_bucket(azure: Azure) -> None:
    name = "x-ms-ratelimit-remaining-subscription-reads"
    vaults = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults"
    assert arm(azure, vaults).headers[name] == "249"
    assert arm(azure, azure.account("aoai-demo").id).headers[name] == "248"
    tenant = arm(azure, "/subscriptions").headers
    assert tenant["x-ms-ratelimit-remaining-tenant-reads"] == "249"


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
def test_a_vault_is_found_in_its_own_subscription_and_group_only(
    azure: Azure, path: str, status: int
) -> None:
    assert arm(azure, path).status == status


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


def test_keys_of_the_newer_kinds_are_long(azure: Azure) -> None:
    speech = azure.add_account("speech", kind="SpeechServices")
    assert {len(key) for key in azure.account("aoai-demo").keys.values()} == {84}
    assert {len(key) for key in speech.keys.values()} == {32}


def arm(
    azure: Azure,
    path: str,
    method: str = "GET",
    body: bytes = b"",
    principal: Principal | None = None,
) -> Response:
    caller = principal or azure.identity.principals[0]
    token = azure.identity.issue(caller, "https://management.azure.com/")
    headers = Headers({"Authorization": f"Bearer {token}"})
    url = f"https://management.azure.com{path}?api-version=2025-09-01"
    return azure.handle(Request(method, url, headers, body))


def code(answer: Response) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["code"]


def test_an_unknown_subscription_is_not_found_whoever_asks(azure: Azure) -> None:
    azure.identity.principals[0].assignments.clear()
    path = "/subscriptions/nope/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
    assert code(arm(azure, path)) == (404, "SubscriptionNotFound")
    assert code(arm(azure, azure.account("aoai-demo").id)) == (403, "AuthorizationFailed")


def test_without_a_token_everything_is_a_challenge(azure: Azure) -> None:
    for path in (azure.account("aoai-demo").id, "/subscriptions/x/nothing"):
        url = f"https://management.azure.com{path}?api-version=2025-09-01"
        answer = azure.handle(Request("GET", url))
        assert code(answer) == (401, "AuthenticationFailed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_error_responses_show_the_remaining_requests(azure: Azure) -> None:
    answer = arm(azure, azure.account("aoai-demo").id + "/regenerateKey", "POST", b"{}")
    assert code(answer) == (400, "InvalidRequestContent")
    assert answer.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-global-writes"] == "2999"


def test_a_forged_skip_token_is_a_bad_request(azure: Azure) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts"
    token = azure.identity.issue(azure.identity.principals[0], "https://management.azure.com")
    url = f"https://management.azure.com{path}?api-version=2025-09-01&$skiptoken=demo"
    answer = azure.handle(Request("GET", url, Headers({"Authorization": f"Bearer {token}"})))
    assert answer.status == 400


def test_a_restricted_network_is_shown(
    azure: Azure, client: CognitiveServicesManagementClient
) -> None:
    azure.add_account("private", default_action="Deny", ip_rules=("203.0.113.0/24",))
    shown = client.accounts.get(GROUP, "private").properties
    assert shown is not None
    assert shown.network_acls is not None
    assert shown.network_acls.bypass == "AzureServices"
    assert [rule.value for rule in shown.network_acls.ip_rules or ()] == ["203.0.113.0/24"]


def test_the_permissions_api_lists_the_roles_above_an_account(azure: Azure) -> None:
    path = azure.account("aoai-demo").id + "/providers/Microsoft.Authorization/permissions"
    (owner, _) = json.loads(arm(azure, path).body)["value"]
    assert owner["actions"] == ["*"]
