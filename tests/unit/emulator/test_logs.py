"""The audit logs, through the real query client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient
from azure.monitor.query import LogsQueryClient, LogsQueryResult

from emulator.azure import Azure
from emulator.core.wire import Request
from emulator.sdk.transport import EmulatorTransport

from .conftest import Credential

URL = "https://kv-demo.vault.azure.net"


@pytest.fixture
def logs(credential: Credential, transport: EmulatorTransport) -> Iterator[LogsQueryClient]:
    with LogsQueryClient(credential, transport=transport) as client:
        yield client


@pytest.fixture
def version(azure: Azure, credential: Credential, transport: EmulatorTransport) -> Any:
    """One read, one write and one failure, eleven minutes ago."""
    with SecretClient(URL, credential, transport=transport) as client:
        version = client.set_secret("a", "x").properties.version
        client.get_secret("a")
        with pytest.raises(HttpResponseError):
            client.get_secret("none")
    azure.advance(timedelta(minutes=11))
    return version


def ask(logs: LogsQueryClient, query: str, minutes: int = 60) -> list[dict[str, Any]]:
    response = logs.query_workspace("w", query, timespan=timedelta(minutes=minutes))
    assert isinstance(response, LogsQueryResult)
    (table,) = response.tables
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_a_read_without_a_version_is_logged_with_it(
    azure: Azure, logs: LogsQueryClient, version: str
) -> None:
    query = 'AZKVAuditLogs | where OperationName == "SecretGet" and HttpStatusCode == 200'
    (row,) = ask(logs, query)
    assert row["Id"] == f"{URL}/secrets/a/{version}"
    assert json.loads(row["Identity"])["claim"]["oid"] == azure.identity.principals[0].object_id
    assert row["ClientInfo"].startswith("azsdk-python-keyvault-secrets")


@pytest.mark.usefixtures("version")
def test_failed_calls_are_logged(logs: LogsQueryClient) -> None:
    rows = ask(logs, "AzureDiagnostics | project OperationName, id_s, httpStatusCode_d")
    assert [(row["OperationName"], row["httpStatusCode_d"]) for row in rows] == [
        ("SecretSet", 200.0),
        ("SecretGet", 200.0),
        ("SecretGet", 404.0),
    ]


def test_the_challenge_of_a_call_without_a_token_is_logged(
    azure: Azure, logs: LogsQueryClient
) -> None:
    azure.handle(Request("GET", f"{URL}/secrets/a/?api-version=2026-04-01"))
    azure.advance(timedelta(minutes=11))
    (row,) = ask(logs, "AZKVAuditLogs")
    assert (row["OperationName"], row["HttpStatusCode"]) == ("Authentication", 401)
    assert row["ResultSignature"] == "Unauthorized"
    assert json.loads(row["Identity"]) == {}


def test_a_near_expiry_notification_is_logged_even_without_a_subscription(
    azure: Azure, logs: LogsQueryClient
) -> None:
    expires = azure.clock.now() + timedelta(days=10)
    version = azure.add_secret("kv-demo", "a", value="x", expires=expires)
    azure.advance(timedelta(minutes=12))
    (row,) = ask(logs, "AZKVAuditLogs")
    assert row["OperationName"] == "SecretNearExpiryEventGridNotification"
    assert row["Id"] == f"{URL}/secrets/a/{version.id}"


def test_the_log_distinguishes_missing_roles_from_the_network(
    azure: Azure, logs: LogsQueryClient, transport: EmulatorTransport
) -> None:
    nobody = Credential(azure, azure.add_principal("nobody"))
    with SecretClient(URL, nobody, transport=transport, retry_total=0) as client:
        for is_open in (True, False):
            azure.vault("kv-demo").open = is_open
            with pytest.raises(HttpResponseError):
                client.get_secret("a")
    azure.advance(timedelta(minutes=11))
    rows = ask(logs, 'AZKVAuditLogs | where OperationName == "SecretGet"')
    assert [(row["IsRbacAuthorized"], row["IsAddressAuthorized"]) for row in rows] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.usefixtures("version")
def test_a_projection_can_name_its_own_columns(azure: Azure, logs: LogsQueryClient) -> None:
    query = (
        f'AZKVAuditLogs | where Id startswith "{URL}/secrets/a" | project TimeGenerated, Id, '
        "oid = tostring(coalesce(Identity.claim.oid, '')), HttpStatusCode"
    )
    first, second = ask(logs, query)
    assert set(first) == {"TimeGenerated", "Id", "oid", "HttpStatusCode"}
    assert first["oid"] == second["oid"] == azure.identity.principals[0].object_id


@pytest.mark.usefixtures("version")
def test_rows_appear_after_the_delay_and_within_the_timespan(
    azure: Azure, logs: LogsQueryClient
) -> None:
    azure.logs.delay = timedelta(minutes=12)
    assert ask(logs, "AZKVAuditLogs") == []
    azure.advance(timedelta(minutes=1))
    assert len(ask(logs, "AZKVAuditLogs")) == 3
    assert ask(logs, "AZKVAuditLogs", minutes=10) == []


def test_only_workspaces_and_resources_can_be_queried(azure: Azure, logs: LogsQueryClient) -> None:
    vault = azure.vault("kv-demo").id
    assert logs.query_resource(vault, "AZKVAuditLogs", timespan=timedelta(hours=1))
    with pytest.raises(HttpResponseError) as caught:
        logs.query_resource("/nothing", "AZKVAuditLogs", timespan=timedelta(hours=1))
    assert caught.value.status_code == 404
