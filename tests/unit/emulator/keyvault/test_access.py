"""Key Vault: the challenge, tokens, networks, rights, limits, and malformed requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
)
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import EmulatorTransport

from ..conftest import Credential
from .conftest import URL, get, inner


def test_the_first_call_is_challenged_and_carries_neither_token_nor_body(azure: Azure) -> None:
    response = azure.handle(Request("PUT", f"{URL}/secrets/a?api-version=7.4"))
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == (
        'Bearer authorization="https://login.microsoftonline.com/'
        '22222222-2222-2222-2222-222222222222", resource="https://vault.azure.net"'
    )


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
def test_values_and_names_out_of_bounds_are_bad_parameters(
    client: SecretClient, name: str, value: str, more: dict[str, Any]
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(name, value, **more)
    assert (caught.value.status_code, caught.value.error.code) == (400, "BadParameter")  # type: ignore[union-attr]


def test_rights_apply_to_a_vault_or_to_one_secret(
    azure: Azure, transport: EmulatorTransport
) -> None:
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


def test_the_firewall_is_checked_before_rights(azure: Azure, client: SecretClient) -> None:
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


def test_the_name_of_the_api_version_compares_without_case(azure: Azure) -> None:
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    headers = Headers({"Authorization": f"Bearer {token}"})
    request = Request("GET", f"{URL}/secrets?Api-Version=2026-04-01", headers)
    assert azure.handle(request).status == 200


def test_tokens_are_checked_for_audience_and_expiry(azure: Azure) -> None:
    admin = azure.identity.principals[0]
    wrong = azure.identity.issue(admin, "https://management.azure.com")
    old = azure.identity.issue(admin, "https://vault.azure.net", timedelta(hours=1))
    azure.advance(timedelta(hours=2))
    for token, says in ((wrong, "AKV10022"), (old, "AKV10042"), ("forged", "AKV10032")):
        headers = Headers({"Authorization": f"Bearer {token}"})
        response = azure.handle(Request("GET", f"{URL}/secrets?api-version=7.4", headers))
        assert response.status == 401
        assert says.encode() in response.body


@pytest.mark.parametrize("suffix", ["vault.azure.cn", "vault.usgovcloudapi.net"])
def test_sovereign_vaults_have_their_own_token_resource(
    azure: Azure, credential: Credential, transport: EmulatorTransport, suffix: str
) -> None:
    azure.add_vault("kv-far", suffix=suffix)
    with SecretClient(f"https://kv-far.{suffix}", credential, transport=transport) as client:
        assert client.set_secret("a", "x").value == "x"


def test_the_clients_request_id_is_returned(azure: Azure) -> None:
    response = get(azure, "/secrets", **{"x-ms-client-request-id": "mine"})
    assert response.headers["x-ms-client-request-id"] == "mine"


def test_paths_are_case_insensitive_and_names_are_validated(azure: Azure) -> None:
    azure.add_secret("kv-demo", "a", value="x")
    assert get(azure, "/Secrets/A/Versions").status == 200
    assert get(azure, "/secrets/under_score").status == 400


def test_a_vault_without_public_network_refuses_every_call(
    azure: Azure, client: SecretClient
) -> None:
    azure.vault("kv-demo").public_network = False
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("a")
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByConnection")


def test_access_policies_grant_permissions_instead_of_roles(
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
