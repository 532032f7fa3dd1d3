"""``readers`` shows who read a secret last."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.sdk.transport import EmulatorTransport
from rotation.cli.exit_status import ExitStatus

from .conftest import VAULT, Run

SECRET = "kv-demo/aoai-demo-key"
SHOP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop"


class Credential:
    """A synchronous credential with tokens of one principal."""

    def __init__(self, azure: Azure, principal: Principal) -> None:
        self._azure, self._principal = azure, principal

    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        text = self._azure.identity.issue(self._principal, "https://vault.azure.net")
        return AccessToken(text, int(self._azure.identity.tokens[text].expires.timestamp()))


@pytest.fixture
def app(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Principal:
    """A consumer, and a log that shows its rows at once."""
    monkeypatch.setenv("ROTATION_LOGS_WORKSPACE", "w-1")
    azure.identity.principals[0].assign("Log Analytics Data Reader", "/workspaces/w-1")
    azure.logs.delay = timedelta()
    found = azure.add_principal("app")
    return found.assign("Key Vault Secrets User", azure.vault("kv-demo").id)


def read(azure: Azure, app: Principal) -> str:
    """Read the secret as the app does; return the version."""
    credential, transport = Credential(azure, app), EmulatorTransport(azure)
    with SecretClient(VAULT, credential, transport=transport) as client:
        return str(client.get_secret("aoai-demo-key").properties.version)


def test_a_reader_of_the_latest_version_is_fine(run: Run, azure: Azure, app: Principal) -> None:
    app.resource_id = SHOP
    version = read(azure, app)
    result = run("readers", SECRET, "--direct")
    assert result.status == ExitStatus.OK, result.out
    head, row = (line.split("\t") for line in result.out.splitlines())
    assert head == ["IDENTITY", "READ", "LAST READ", "VERSION", "RESOURCE"]
    assert [row[0], row[1], *row[3:]] == [app.object_id, "the latest", version, SHOP]


def test_a_reader_of_an_older_version_needs_attention(
    run: Run, azure: Azure, app: Principal
) -> None:
    read(azure, app)
    first = azure.secret("kv-demo", "aoai-demo-key").current
    first.created -= timedelta(minutes=1)
    azure.add_secret("kv-demo", "aoai-demo-key", publishes=("aoai-demo", "Key2"), tags=first.tags)
    result = run("readers", SECRET, "--direct")
    assert result.status == ExitStatus.ATTENTION
    assert f"{app.object_id}\tan older version" in result.out


def test_nobody_is_told_from_a_log_that_does_not_work(run: Run, app: Principal) -> None:
    result = run("readers", SECRET, "--direct")
    assert result.status == ExitStatus.ATTENTION
    assert "Nobody has read it since" in result.out
    assert "the log may not show all readers" in result.out


def test_without_logs_the_readers_are_unknown(run: Run) -> None:
    result = run("readers", SECRET, "--direct")
    assert result.status == ExitStatus.ATTENTION
    assert result.out.startswith("The readers are unknown: the vaults' audit logs are not")
    assert run("readers", SECRET, "--direct", "--json").json["readers"] is None
