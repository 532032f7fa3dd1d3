"""The host's storage connection: what is taken, what is refused, and that no key is repeated."""

from __future__ import annotations

import pytest

from rotation.adapters import storage
from rotation.settings import storage as connection_settings

from .conftest import NO_CREDENTIAL

KEY = "c2VjcmV0LWtleS1vZi1hLXJlYWwtYWNjb3VudA=="
LOCAL = (
    f"AccountName=devstoreaccount1;AccountKey={connection_settings.EMULATOR_KEY};"
    "BlobEndpoint=http://{0}:1/devstoreaccount1;QueueEndpoint=http://{0}:2/devstoreaccount1"
)


def parse(**settings: str) -> connection_settings.StorageSettings | None:
    return connection_settings.parse(
        {f"AzureWebJobsStorage{name}": v for name, v in settings.items()}
    )


def connection(text: str) -> connection_settings.StorageSettings | None:
    return connection_settings.parse({"AzureWebJobsStorage": text})


def test_without_settings_there_is_no_storage() -> None:
    assert connection_settings.parse({}) is None
    assert connection("  ") is None
    assert parse(__credential="managedidentity", __clientId="id") is None


def test_the_accounts_name_is_enough() -> None:
    found = parse(__accountName="stkeys01", __credential="managedidentity", __clientId="id")
    assert found == connection_settings.StorageSettings(
        "identity",
        "https://stkeys01.blob.core.windows.net",
        "https://stkeys01.queue.core.windows.net",
    )


def test_a_sovereign_cloud_has_its_own_suffix() -> None:
    found = connection_settings.parse(
        {"AzureWebJobsStorage__accountName": "st1"}, suffix="core.chinacloudapi.cn"
    )
    assert found is not None
    assert found.queue_url == "https://st1.queue.core.chinacloudapi.cn"


def test_service_uris_go_before_the_name() -> None:
    found = parse(__accountName="st1", __blobServiceUri="https://st1.z01.blob.storage.azure.net/")
    assert found is not None
    assert found.blob_url == "https://st1.z01.blob.storage.azure.net"
    assert found.queue_url == "https://st1.queue.core.windows.net"


def test_names_of_settings_compare_without_case_as_in_the_host() -> None:
    assert connection_settings.parse({"azurewebjobsstorage__ACCOUNTNAME": "st1"}) is not None


@pytest.mark.parametrize("name", ["St1", "st", "https://st1.blob.core.windows.net", "a" * 25])
def test_an_invalid_account_name_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="accountName"):
        parse(__accountName=name)


def test_a_missing_service_is_named() -> None:
    with pytest.raises(ValueError, match="queueServiceUri"):
        parse(__blobServiceUri="https://st1.blob.core.windows.net")


@pytest.mark.parametrize(
    "url",
    [
        "http://st1.blob.core.windows.net",
        "https://st1.blob.core.windows.net/?sv=2024&sig=c2lnbmF0dXJl",
        "https://user:c2lnbmF0dXJl@st1.blob.core.windows.net",
        "st1.blob.core.windows.net",
    ],
)
def test_a_service_uri_is_https_without_a_token(url: str) -> None:
    with pytest.raises(ValueError, match="blobServiceUri") as refused:
        parse(__accountName="st1", __blobServiceUri=url)
    assert "c2lnbmF0dXJl" not in str(refused.value)


@pytest.mark.parametrize("text", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;"])
def test_development_storage_is_this_machine(text: str) -> None:
    found = connection(text)
    assert found is not None
    assert found.kind == "emulator"
    assert found.blob_url == "http://127.0.0.1:10000/devstoreaccount1"
    assert found.queue_url == "http://127.0.0.1:10001/devstoreaccount1"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_emulators_account_on_this_machine_is_taken(host: str) -> None:
    found = connection(LOCAL.format(host))
    assert found is not None
    assert found.blob_url == f"http://{host}:1/devstoreaccount1"


@pytest.mark.parametrize(
    "text",
    [
        f"DefaultEndpointsProtocol=https;AccountName=st1;AccountKey={KEY};"
        "EndpointSuffix=core.windows.net",
        f"BlobEndpoint=https://st1.blob.core.windows.net;SharedAccessSignature=sv=1&sig={KEY}",
        f"AccountName=devstoreaccount1;AccountKey={KEY}",
        LOCAL.format("storage.example.com").replace(connection_settings.EMULATOR_KEY, KEY),
        LOCAL.format("127.0.0.1.example.com").replace(connection_settings.EMULATOR_KEY, KEY),
        f"AccountName=st1;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:1/st1;"
        "QueueEndpoint=http://127.0.0.1:2/st1",
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://storage.example.com",
        KEY,
    ],
)
def test_every_other_connection_string_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="AzureWebJobsStorage__accountName") as refused:
        connection(text)
    assert KEY not in str(refused.value)


def test_a_connection_string_takes_precedence_as_in_the_host() -> None:
    with pytest.raises(ValueError, match="refused"):
        connection_settings.parse(
            {"AzureWebJobsStorage": f"AccountKey={KEY}", "AzureWebJobsStorage__accountName": "st1"}
        )


def test_settings_do_not_show_the_connection_string() -> None:
    assert connection_settings.EMULATOR_KEY not in repr(connection(LOCAL.format("127.0.0.1")))


async def test_clients_of_the_emulator_ask_for_a_version_that_it_knows() -> None:
    settings = connection("UseDevelopmentStorage=true")
    assert settings is not None
    blobs, queues = storage.services(settings, NO_CREDENTIAL, {})
    async with blobs, queues:
        assert blobs.api_version == queues.api_version == "2025-11-05"
