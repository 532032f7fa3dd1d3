"""Key Vault's secrets data plane, as its REST reference and its concept pages have it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.wire import Headers, Request, Response
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport, EmulatorTransport

from .conftest import Credential

URL = "https://kv-demo.vault.azure.net"


@pytest.fixture
def client(
    azure: Azure, credential: Credential, transport: EmulatorTransport
) -> Iterator[SecretClient]:
    with SecretClient(URL, credential, transport=transport, retry_total=0) as client:
        yield client


def inner(exc: HttpResponseError) -> Any:
    return exc.error.innererror["code"] if exc.error and exc.error.innererror else None


def test_the_first_call_is_challenged_and_carries_neither_token_nor_body(azure: Azure) -> None:
    answer = azure.handle(Request("PUT", f"{URL}/secrets/a?api-version=7.4"))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer authorization="https://login.microsoftonline.com/'
        '22222222-2222-2222-2222-222222222222", resource="https://vault.azure.net"'
    )


def test_what_is_set_is_got_and_a_new_version_becomes_the_current_one(client: SecretClient) -> None:
    first = client.set_secret("a", "one", tags={"x": "y"}, content_type="text/plain")
    second = client.set_secret("a", "two")
    assert client.get_secret("a").value == "two"
    assert client.get_secret("a", first.properties.version).value == "one"
    assert client.get_secret("A").properties.version == second.properties.version, "without case"
    assert second.properties.tags is None, "tags are not inherited"


def test_members_without_a_value_are_absent_and_times_are_whole_seconds(azure: Azure) -> None:
    azure.add_secret("kv-demo", "a", value="x")
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"})
    answer = azure.handle(Request("GET", f"{URL}/secrets/a/?api-version=2026-04-01", headers))
    body = json.loads(answer.body)
    assert set(body) == {"value", "id", "attributes"}
    assert set(body["attributes"]) == {
        "enabled",
        "created",
        "updated",
        "recoveryLevel",
        "recoverableDays",
    }
    assert isinstance(body["attributes"]["created"], int)
    assert len(body["id"].rpartition("/")[2]) == 32


def test_lists_come_in_pages_of_25_and_show_no_values(azure: Azure, client: SecretClient) -> None:
    for number in range(60):
        client.set_secret(f"s-{number:02}", "x")
    pages = [list(page) for page in client.list_properties_of_secrets().by_page()]
    assert [len(page) for page in pages] == [25, 25, 10]
    assert len({secret.name for page in pages for secret in page}) == 60
    assert not hasattr(pages[0][0], "value")


def test_a_link_is_absolute_with_port_443_and_the_last_one_is_null(azure: Azure) -> None:
    for number in range(26):
        azure.add_secret("kv-demo", f"s-{number:02}", value="x")
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"})
    first = azure.handle(Request("GET", f"{URL}/secrets?api-version=7.4", headers))
    link = json.loads(first.body)["nextLink"]
    assert link.startswith(
        "https://kv-demo.vault.azure.net:443/secrets?api-version=7.4&$skiptoken="
    )
    last = azure.handle(Request("GET", link, headers))
    assert json.loads(last.body)["nextLink"] is None


def test_versions_are_listed_by_id_and_not_by_time(azure: Azure, client: SecretClient) -> None:
    made = []
    for _ in range(20):
        made.append(client.set_secret("a", "x").properties.version)
        azure.advance(timedelta(seconds=1))
    listed = [version.version for version in client.list_properties_of_secret_versions("a")]
    assert listed == sorted(listed)  # type: ignore[type-var]
    assert listed != made


def test_a_page_size_beyond_25_is_refused(client: SecretClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        list(client.list_properties_of_secrets(max_page_size=26))
    assert caught.value.status_code == 400


def test_an_update_changes_what_is_given_and_given_tags_replace_all(client: SecretClient) -> None:
    client.set_secret("a", "x", tags={"one": "1", "two": "2"}, content_type="text/plain")
    client.update_secret_properties("a", enabled=True)
    assert client.get_secret("a").properties.tags == {"one": "1", "two": "2"}
    updated = client.update_secret_properties("a", tags={"three": "3"})
    assert updated.tags == {"three": "3"}
    assert updated.content_type == "text/plain"


def test_a_disabled_version_is_forbidden_and_still_listed(client: SecretClient) -> None:
    version = client.set_secret("a", "x").properties.version
    client.update_secret_properties("a", version, enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("a")
    assert (caught.value.status_code, inner(caught.value)) == (403, "SecretDisabled")
    (listed,) = client.list_properties_of_secret_versions("a")
    assert listed.enabled is False


def test_an_expired_or_not_yet_valid_secret_is_got_all_the_same(
    azure: Azure, client: SecretClient
) -> None:
    now = azure.clock.now()
    client.set_secret("old", "x", expires_on=now - timedelta(days=1))
    client.set_secret("young", "y", not_before=now + timedelta(days=1))
    assert client.get_secret("old").value == "x"
    assert client.get_secret("young").value == "y"


def test_deleting_takes_all_versions_and_recovering_brings_them_back(client: SecretClient) -> None:
    for value in ("one", "two", "three"):
        client.set_secret("a", value)
    client.begin_delete_secret("a").wait()
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("a")
    with pytest.raises(ResourceExistsError) as caught:
        client.set_secret("a", "four")
    assert inner(caught.value) == "ObjectIsDeletedButRecoverable"
    assert [deleted.name for deleted in client.list_deleted_secrets()] == ["a"]
    client.begin_recover_deleted_secret("a").wait()
    assert len(list(client.list_properties_of_secret_versions("a"))) == 3
    assert client.get_secret("a").value == "three"


def test_a_deletion_that_takes_a_while_is_polled(azure: Azure, client: SecretClient) -> None:
    azure.vault("kv-demo").deletion_delay = timedelta(seconds=5)
    client.set_secret("a", "x")
    poller = client.begin_delete_secret("a")
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("a")
    with pytest.raises(ResourceExistsError) as caught:
        client.set_secret("a", "y")
    assert inner(caught.value) == "ObjectIsBeingDeleted"
    azure.advance(timedelta(seconds=6))
    poller.wait()
    assert client.get_deleted_secret("a").name == "a"


def test_purging_frees_the_name_unless_protection_forbids_it(
    azure: Azure, client: SecretClient
) -> None:
    client.set_secret("a", "x")
    client.begin_delete_secret("a").wait()
    azure.vault("kv-demo").purge_protection = True
    with pytest.raises(HttpResponseError) as caught:
        client.purge_deleted_secret("a")
    assert caught.value.status_code == 403
    azure.vault("kv-demo").purge_protection = False
    client.purge_deleted_secret("a")
    assert client.set_secret("a", "y").value == "y"


def test_a_backup_restores_all_versions(client: SecretClient) -> None:
    client.set_secret("a", "one")
    client.set_secret("a", "two")
    backup = client.backup_secret("a")
    assert b"two" not in backup
    client.begin_delete_secret("a").wait()
    client.purge_deleted_secret("a")
    client.restore_secret_backup(backup)
    assert client.get_secret("a").value == "two"
    with pytest.raises(ResourceExistsError):
        client.restore_secret_backup(backup)


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("under_score", "x", {}),
        ("n" * 128, "x", {}),
        ("a", "x" * (25 * 1024 + 1), {}),
        ("a", "x", {"tags": {str(number): "x" for number in range(16)}}),
        ("a", "x", {"tags": {"n" * 513: "x"}}),
        ("a", "x", {"content_type": "c" * 256}),
    ],
)
def test_what_is_too_long_or_misnamed_is_a_bad_parameter(
    client: SecretClient, name: str, value: str, more: dict[str, Any]
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(name, value, **more)
    assert (caught.value.status_code, caught.value.error.code) == (400, "BadParameter")  # type: ignore[union-attr]


def test_rights_are_per_vault_or_per_secret(azure: Azure, transport: EmulatorTransport) -> None:
    azure.add_secret("kv-demo", "mine", value="x")
    azure.add_secret("kv-demo", "other", value="y")
    scope = azure.vault("kv-demo").id + "/secrets/mine"
    reader = azure.add_principal("reader").assign("Key Vault Secrets User", scope)
    with SecretClient(URL, Credential(azure, reader), transport=transport) as client:
        assert client.get_secret("mine").value == "x"
        with pytest.raises(HttpResponseError) as caught:
            client.get_secret("other")
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByRbac")
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in str(caught.value)


def test_the_firewall_forbids_before_rights_are_asked(azure: Azure, client: SecretClient) -> None:
    azure.vault("kv-demo").open = False
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("a")
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByFirewall")


def test_300_creations_in_ten_seconds_are_throttled_without_retry_after(
    azure: Azure, client: SecretClient
) -> None:
    for number in range(300):
        client.set_secret(f"s{number}", "x")
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret("more", "x")
    assert caught.value.status_code == 429
    assert "Retry-After" not in caught.value.response.headers  # type: ignore[union-attr]
    client.get_secret("s1")
    azure.advance(timedelta(seconds=10))
    client.set_secret("more", "x")


def test_the_vaults_of_a_region_share_five_times_the_limit_of_one(
    azure: Azure, credential: Credential, transport: EmulatorTransport
) -> None:
    for number in range(5):
        name = f"kv-{number}"
        azure.add_vault(name)
        with SecretClient(
            f"https://{name}.vault.azure.net", credential, transport=transport
        ) as one:
            for secret in range(300):
                one.set_secret(f"s{secret}", "x")
    azure.add_vault("kv-elsewhere", location="northeurope")
    with SecretClient(URL, credential, transport=transport, retry_total=0) as client:
        with pytest.raises(HttpResponseError) as caught:
            client.set_secret("more", "x")
        assert caught.value.status_code == 429
    url = "https://kv-elsewhere.vault.azure.net"
    with SecretClient(url, credential, transport=transport) as other:
        other.set_secret("more", "x")


def test_a_content_type_is_measured_in_characters(client: SecretClient) -> None:
    client.set_secret("a", "x", content_type="ü" * 255)
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret("a", "x", content_type="u" * 256)
    assert caught.value.status_code == 400


def test_a_missing_or_unknown_api_version_is_refused(azure: Azure) -> None:
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"})
    for query in ("", "?api-version=1999-01-01"):
        assert azure.handle(Request("GET", f"{URL}/secrets{query}", headers)).status == 400


def test_tokens_are_checked_for_audience_and_expiry(azure: Azure) -> None:
    admin = azure.identity.principals[0]
    wrong = azure.identity.issue(admin, "https://management.azure.com")
    old = azure.identity.issue(admin, "https://vault.azure.net", timedelta(hours=1))
    azure.advance(timedelta(hours=2))
    for token, says in ((wrong, "AKV10022"), (old, "AKV10042"), ("forged", "AKV10032")):
        headers = Headers({"Authorization": f"Bearer {token}"})
        answer = azure.handle(Request("GET", f"{URL}/secrets?api-version=7.4", headers))
        assert answer.status == 401
        assert says.encode() in answer.body


def test_a_dropped_connection_leaves_the_effect_done_or_not_done(
    azure: Azure, client: SecretClient
) -> None:
    client.set_secret("warm-up", "x")
    for after, versions in ((False, 0), (True, 1)):
        azure.faults.add(Fault("drop", "keyvault.set_secret", after=after))
        with pytest.raises(ServiceResponseError):
            client.set_secret("a", "x")
        found = azure.vault("kv-demo").secrets.get("a")
        assert (len(found.versions) if found else 0) == versions


async def test_the_asynchronous_client_speaks_the_same(azure: Azure) -> None:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    transport = AsyncEmulatorTransport(azure)
    async with AsyncSecretClient(URL, credential, transport=transport) as client:
        await client.set_secret("a", "x")
        assert (await client.get_secret("a")).value == "x"
        assert [s.name async for s in client.list_properties_of_secrets()] == ["a"]
        await client.delete_secret("a")
        assert (await client.get_deleted_secret("a")).name == "a"


async def test_the_sdks_own_retries_make_time_pass(azure: Azure) -> None:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    before = azure.clock.now()
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=503, times=2))
    transport = AsyncEmulatorTransport(azure)
    azure.add_secret("kv-demo", "a", value="x")
    async with AsyncSecretClient(URL, credential, transport=transport) as client:
        await client.get_secret("a")
    assert azure.clock.now() - before > timedelta(seconds=1)


@pytest.mark.parametrize("suffix", ["vault.azure.cn", "vault.usgovcloudapi.net"])
def test_sovereign_vaults_name_their_own_resource(
    azure: Azure, credential: Credential, transport: EmulatorTransport, suffix: str
) -> None:
    azure.add_vault("kv-far", suffix=suffix)
    with SecretClient(f"https://kv-far.{suffix}", credential, transport=transport) as client:
        assert client.set_secret("a", "x").value == "x"


def get(azure: Azure, path: str, **more: str) -> Response:
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"} | more)
    return azure.handle(Request("GET", f"{URL}{path}?api-version=2026-04-01", headers))


def test_the_clients_name_of_a_request_is_echoed(azure: Azure) -> None:
    answer = get(azure, "/secrets", **{"x-ms-client-request-id": "mine"})
    assert answer.headers["x-ms-client-request-id"] == "mine"


def test_paths_compare_without_case_and_names_are_checked_on_every_call(azure: Azure) -> None:
    azure.add_secret("kv-demo", "a", value="x")
    assert get(azure, "/Secrets/A/Versions").status == 200
    assert get(azure, "/secrets/under_score").status == 400


def test_a_vault_without_public_network_forbids_everything(
    azure: Azure, client: SecretClient
) -> None:
    azure.vault("kv-demo").public_network = False
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("a")
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByConnection")


def test_access_policies_name_permissions_instead_of_roles(
    azure: Azure, client: SecretClient
) -> None:
    admin = azure.identity.principals[0]
    azure.vault("kv-demo").policies = {admin.object_id: frozenset({"set", "list"})}
    client.set_secret("a", "x")
    client.update_secret_properties("a", enabled=True)
    assert len(list(client.list_properties_of_secrets())) == 1
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("a")
    assert (caught.value.status_code, inner(caught.value)) == (403, "AccessDenied")


def test_a_deleted_secret_is_gone_when_its_retention_is_over(
    azure: Azure, client: SecretClient
) -> None:
    client.set_secret("a", "x")
    deleted = client.begin_delete_secret("a").result()
    assert deleted.scheduled_purge_date == azure.clock.now() + timedelta(days=90)
    azure.advance(timedelta(days=90))
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("a")
    assert client.set_secret("a", "y").value == "y"


def test_a_backup_restores_into_any_vault_of_the_subscription_as_it_was(
    azure: Azure, credential: Credential, transport: EmulatorTransport, client: SecretClient
) -> None:
    azure.add_vault("kv-next")
    azure.add_vault("kv-far", subscription="99999999-9999-9999-9999-999999999999")
    client.set_secret("a", "x")
    backup = client.backup_secret("a")
    client.update_secret_properties("a", enabled=False)
    with SecretClient("https://kv-next.vault.azure.net", credential, transport=transport) as other:
        other.restore_secret_backup(backup)
        assert other.get_secret("a").value == "x"
    with (
        SecretClient("https://kv-far.vault.azure.net", credential, transport=transport) as far,
        pytest.raises(HttpResponseError) as caught,
    ):
        far.restore_secret_backup(backup)
    assert caught.value.status_code == 400


def test_a_stale_vault_shows_what_was_and_updates_what_is(
    azure: Azure, client: SecretClient
) -> None:
    client.set_secret("a", "old")
    azure.advance(timedelta(seconds=10))
    current = client.set_secret("a", "new").properties.version
    azure.vault("kv-demo").stale_for = timedelta(seconds=5)
    assert client.get_secret("a").value == "old"
    assert len(list(client.list_properties_of_secret_versions("a"))) == 1
    assert client.update_secret_properties("a", tags={"x": "y"}).version == current
    azure.advance(timedelta(seconds=5))
    assert client.get_secret("a").value == "new"
