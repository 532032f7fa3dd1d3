"""Key Vault: soft delete, recovery, purge and backup."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential
from .conftest import inner


def test_deleting_removes_all_versions_and_recovering_restores_them(client: SecretClient) -> None:
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


def test_a_slow_deletion_is_polled(azure: Azure, client: SecretClient) -> None:
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


def test_purging_frees_the_name_unless_purge_protection_is_on(
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


def test_a_deleted_secret_is_purged_after_its_retention(azure: Azure, client: SecretClient) -> None:
    client.set_secret("a", "x")
    deleted = client.begin_delete_secret("a").result()
    assert deleted.scheduled_purge_date == azure.clock.now() + timedelta(days=90)
    azure.advance(timedelta(days=90))
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("a")
    assert client.set_secret("a", "y").value == "y"


def test_a_backup_can_be_restored_into_any_vault_of_the_subscription(
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


@pytest.mark.parametrize(
    ("days", "protected", "level"),
    [
        (90, False, "Recoverable+Purgeable"),
        (90, True, "Recoverable"),
        (7, False, "CustomizedRecoverable+Purgeable"),
        (7, True, "CustomizedRecoverable"),
    ],
)
def test_attributes_name_the_retention_and_whether_a_purge_is_possible(
    azure: Azure, client: SecretClient, days: int, protected: bool, level: str
) -> None:
    """Key Vault's specification, DeletionRecoveryLevel: less than 90 days is customized."""
    vault = azure.vault("kv-demo")
    vault.retention_days, vault.purge_protection = days, protected
    shown = client.set_secret("a", "x").properties
    assert (shown.recovery_level, shown.recoverable_days) == (level, days)


@pytest.mark.parametrize("days", [6, 91])
def test_a_vault_keeps_deleted_secrets_for_7_to_90_days(azure: Azure, days: int) -> None:
    with pytest.raises(ValueError, match="retention_days"):
        azure.add_vault("kv-odd", retention_days=days)
