"""Key Vault's secrets: versions, lists, deletion and backup."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceResponseError,
)
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport

from .conftest import URL, inner


def test_setting_a_secret_adds_a_version_that_becomes_the_current_one(client: SecretClient) -> None:
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
    response = azure.handle(Request("GET", f"{URL}/secrets/a/?api-version=2026-04-01", headers))
    body = json.loads(response.body)
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


def test_lists_have_pages_of_25_and_no_values(azure: Azure, client: SecretClient) -> None:
    for number in range(60):
        client.set_secret(f"s-{number:02}", "x")
    pages = [list(page) for page in client.list_properties_of_secrets().by_page()]
    assert [len(page) for page in pages] == [25, 25, 10]
    assert len({secret.name for page in pages for secret in page}) == 60
    assert not hasattr(pages[0][0], "value")


def test_the_next_link_is_absolute_with_port_443_and_the_last_one_is_null(azure: Azure) -> None:
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


def test_an_update_changes_given_members_and_replaces_all_tags(client: SecretClient) -> None:
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


def test_expired_and_not_yet_valid_secrets_can_be_read(azure: Azure, client: SecretClient) -> None:
    now = azure.clock.now()
    client.set_secret("old", "x", expires_on=now - timedelta(days=1))
    client.set_secret("young", "y", not_before=now + timedelta(days=1))
    assert client.get_secret("old").value == "x"
    assert client.get_secret("young").value == "y"


def test_a_dropped_connection_hides_whether_the_effect_happened(
    azure: Azure, client: SecretClient
) -> None:
    client.set_secret("warm-up", "x")
    for after, versions in ((False, 0), (True, 1)):
        azure.faults.add(Fault("drop", "keyvault.set_secret", after=after))
        with pytest.raises(ServiceResponseError):
            client.set_secret("a", "x")
        found = azure.vault("kv-demo").secrets.get("a")
        assert (len(found.versions) if found else 0) == versions


async def test_the_asynchronous_client_works_the_same(azure: Azure) -> None:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    transport = AsyncEmulatorTransport(azure)
    async with AsyncSecretClient(URL, credential, transport=transport) as client:
        await client.set_secret("a", "x")
        assert (await client.get_secret("a")).value == "x"
        assert [s.name async for s in client.list_properties_of_secrets()] == ["a"]
        await client.delete_secret("a")
        assert (await client.get_deleted_secret("a")).name == "a"


async def test_the_sdks_own_retries_advance_virtual_time(azure: Azure) -> None:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    before = azure.clock.now()
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=503, times=2))
    transport = AsyncEmulatorTransport(azure)
    azure.add_secret("kv-demo", "a", value="x")
    async with AsyncSecretClient(URL, credential, transport=transport) as client:
        await client.get_secret("a")
    assert azure.clock.now() - before > timedelta(seconds=1)


def test_a_stale_vault_reads_old_versions_and_updates_the_current_one(
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
