"""The storage connection of the host: by name, by endpoint, or the emulator on this machine."""

from __future__ import annotations

import pytest

from rotation.settings.storage import EMULATOR_KEY, StorageSettings, parse

EMULATOR = (
    "AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint={blob};QueueEndpoint={queue};"
)


def connected(text: str) -> StorageSettings | None:
    return parse({"AzureWebJobsStorage": text})


@pytest.mark.parametrize(
    ("proxy", "address"),
    [
        ("", "http://127.0.0.1"),
        ("http://localhost", "http://localhost"),
        ("https://[::1]", "https://[::1]"),
        ("http://127.0.0.2:99/x", "http://127.0.0.2"),
    ],
)
def test_development_storage_is_on_this_machine(proxy: str, address: str) -> None:
    found = connected(f"UseDevelopmentStorage=true; DevelopmentStorageProxyUri={proxy}")
    blob, queue = (f"{address}:{port}/devstoreaccount1" for port in (10000, 10001))
    text = EMULATOR.format(key=EMULATOR_KEY, blob=blob, queue=queue)
    assert found == StorageSettings("emulator", blob, queue, text)


LOCAL = "http://127.0.0.1:1/a"


@pytest.mark.parametrize(
    ("blob", "queue", "is_accepted"),
    [
        (LOCAL, LOCAL, True),
        (LOCAL, "http://storage.example/a", False),
        ("http://storage.example/a", LOCAL, False),
        (LOCAL, "", False),
        ("", LOCAL, False),
        (LOCAL, "http://[", False),
        (LOCAL, "http://10.0.0.1/a", False),
    ],
)
def test_the_emulator_is_accepted_only_on_this_machine(
    blob: str, queue: str, is_accepted: bool
) -> None:
    text = EMULATOR.format(key="any", blob=blob, queue=queue)
    if is_accepted:
        assert connected(text) == StorageSettings("emulator", blob, queue, text)
    else:
        with pytest.raises(ValueError, match="are refused"):
            connected(text)


def test_the_emulators_key_is_known() -> None:
    text = EMULATOR.format(key="any", blob=LOCAL, queue=LOCAL).replace("AccountKey=any;", "")
    found = connected(text)
    assert found is not None
    assert found.connection_string is not None
    assert f"AccountKey={EMULATOR_KEY};" in found.connection_string


def test_a_proxy_without_a_host_is_refused() -> None:
    with pytest.raises(ValueError, match="are refused"):
        connected("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=nonsense")


def test_another_account_is_refused() -> None:
    text = EMULATOR.format(key="any", blob=LOCAL, queue=LOCAL)
    with pytest.raises(ValueError, match="are refused"):
        connected(text.replace("devstoreaccount1", "account"))


PLAIN = {
    "AzureWebJobsStorage__blobServiceUri": "https://b.example/",
    "AzureWebJobsStorage__queueServiceUri": "https://q.example",
}


def test_endpoints_may_be_set_one_by_one() -> None:
    assert parse(PLAIN) == StorageSettings("identity", "https://b.example", "https://q.example")


def test_an_endpoint_goes_before_the_accounts_name() -> None:
    blobs = {"AzureWebJobsStorage__blobServiceUri": "https://b.example"}
    found = parse(blobs | {"AzureWebJobsStorage__accountName": "journal"})
    queues = "https://journal.queue.core.windows.net"
    assert found == StorageSettings("identity", "https://b.example", queues)


@pytest.mark.parametrize("part", PLAIN)
def test_without_the_accounts_name_both_are_required(part: str) -> None:
    with pytest.raises(ValueError, match=f"{part}: required"):
        parse({name: text for name, text in PLAIN.items() if name != part})


@pytest.mark.parametrize("part", PLAIN)
@pytest.mark.parametrize(
    "url",
    ["http://b.example", "https://", "https://b.example?sig=x", "https://user@b.example"],
)
def test_an_endpoint_is_an_https_url_without_a_token(part: str, url: str) -> None:
    with pytest.raises(ValueError, match=f"{part}: write"):
        parse(PLAIN | {part: url})


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [("abc", True), ("a" * 24, True), ("ab", False), ("a" * 25, False), ("A-b", False)],
)
def test_an_account_has_a_name_that_azure_accepts(name: str, is_valid: bool) -> None:
    settings = {"Other__accountName": name}
    if is_valid:
        assert parse(settings, "other", "suffix.example") == StorageSettings(
            "identity",
            f"https://{name}.blob.suffix.example",
            f"https://{name}.queue.suffix.example",
        )
    else:
        with pytest.raises(ValueError, match="other__accountName"):
            parse(settings, "other", "suffix.example")
