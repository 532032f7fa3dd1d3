"""The managed identity endpoint."""

from __future__ import annotations

import pytest
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

from emulator.azure import Azure
from emulator.core.wire import Request
from emulator.sdk.transport import EmulatorTransport


@pytest.fixture
def environment(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", azure.identity.header)


@pytest.mark.usefixtures("environment")
def test_a_credential_gets_tokens_of_system_and_user_assigned_identities(azure: Azure) -> None:
    user = azure.add_principal("user-assigned")
    for client_id, principal in ((None, azure.identity.principals[0]), (user.client_id, user)):
        credential = ManagedIdentityCredential(
            client_id=client_id, transport=EmulatorTransport(azure)
        )
        token = credential.get_token("https://vault.azure.net/.default").token
        assert azure.identity.tokens[token].principal is principal
        assert azure.identity.tokens[token].audience == "https://vault.azure.net"


@pytest.mark.usefixtures("environment")
def test_an_unknown_identity_is_unavailable(azure: Azure) -> None:
    credential = ManagedIdentityCredential(
        client_id="no-such-identity", transport=EmulatorTransport(azure)
    )
    with pytest.raises(CredentialUnavailableError):
        credential.get_token("https://vault.azure.net/.default")


def test_a_token_request_needs_the_identity_header(azure: Azure) -> None:
    url = "http://127.0.0.1:1/msi/token?api-version=2019-08-01&resource=https://vault.azure.net"
    assert azure.handle(Request("GET", url)).status == 401
