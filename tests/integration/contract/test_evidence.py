"""Evidence of reads, through the real client, on the emulated Azure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from azure.keyvault.secrets.aio import SecretClient

from emulator.azure import Azure, virtual
from emulator.core.faults import Fault
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.log_analytics import LogEvidence, query_for
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.targets import SecretRead
from rotation.runtime.clock import Clock

VAULT = "https://kv-demo.vault.azure.net"
MINUTES = timedelta(minutes=1)


@pytest.fixture
def azure() -> Azure:
    azure = virtual()
    azure.add_vault("kv-demo")
    azure.add_principal("rotation").assign("Log Analytics Data Reader", "/workspaces/workspace-1")
    for name in ("ai-key", "ai-key-2"):
        azure.add_secret("kv-demo", name, value="v")
    return azure


def reading(azure: Azure) -> Principal:
    """A consumer of the vault's secrets."""
    consumer = azure.add_principal("consumer")
    return consumer.assign("Key Vault Secrets User", azure.vault("kv-demo").id)


async def read(azure: Azure, reader: Principal, secret: str, version: str | None = None) -> None:
    transport = AsyncEmulatorTransport(azure)
    credential = AsyncCredential(azure, reader)
    async with SecretClient(VAULT, credential, transport=transport, retry_total=0) as client:
        await client.get_secret(secret, version)


@asynccontextmanager
async def evidence(azure: Azure, workspace: str = "workspace-1") -> AsyncIterator[LogEvidence]:
    found = LogEvidence(
        workspace,
        AsyncCredential(azure, azure.identity.principals[0]),
        Clock(azure.clock.now),
        lambda: AsyncEmulatorTransport(azure),
    )
    yield found
    await found.close()


async def readers(azure: Azure, secret: str = "ai-key", ago: timedelta = 60 * MINUTES) -> Any:
    async with evidence(azure) as one:
        return await one.readers(VAULT, secret, azure.clock.now() - ago)


async def failing(azure: Azure) -> RotationError:
    with pytest.raises(RotationError) as failed:
        await readers(azure)
    return failed.value


def answer(azure: Azure, rows: list[list[Any]], **more: Any) -> None:
    """Let the workspace answer with these rows."""
    names = ("Reader", "Id", "TimeGenerated", "Mirid")
    columns = [{"name": name, "type": "string"} for name in names]
    columns[2]["type"] = "datetime"
    table = {"name": "PrimaryResult", "columns": columns, "rows": rows}
    azure.faults.add(Fault("answer", "logs.query", status=200, body={"tables": [table], **more}))


async def test_a_read_is_seen_with_its_reader_version_and_time(azure: Azure) -> None:
    consumer = reading(azure)
    version, at = azure.secret("kv-demo", "ai-key").current.id, azure.clock.now()
    await read(azure, consumer, "ai-key")
    azure.advance(30 * MINUTES)
    assert await readers(azure) == [SecretRead(consumer.object_id, version, at)]


async def test_the_resource_of_a_managed_identity_is_seen(azure: Azure) -> None:
    consumer = reading(azure)
    consumer.resource_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop"
    await read(azure, consumer, "ai-key")
    azure.advance(30 * MINUTES)
    assert [found.resource for found in await readers(azure)] == [consumer.resource_id]


async def test_a_secret_whose_name_has_the_same_beginning_is_a_different_secret(
    azure: Azure,
) -> None:
    consumer = reading(azure)
    await read(azure, consumer, "ai-key-2")
    azure.advance(30 * MINUTES)
    assert await readers(azure) == []
    assert f'"{VAULT}/secrets/ai-key/"' in query_for(VAULT, "ai-key")


async def test_reads_before_the_given_time_are_not_queried(azure: Azure) -> None:
    consumer = reading(azure)
    await read(azure, consumer, "ai-key")
    azure.advance(120 * MINUTES)
    assert await readers(azure, ago=60 * MINUTES) == []


async def test_ids_are_understood_in_every_form_that_the_log_has(azure: Azure) -> None:
    at = "2026-11-23T00:10:00.123Z"
    answer(
        azure,
        [
            ["a", f"{VAULT}/secrets/ai-key/f9e8", at, ""],
            ["b", f"{VAULT}/secrets/ai-key", at, ""],
            ["c", f"{VAULT}/secrets/ai-key/", at, None],
            ["", f"{VAULT}/secrets/ai-key/f9e8", at, ""],
        ],
    )
    found = [(r.identity, r.version) for r in await readers(azure)]
    assert found == [("a", "f9e8"), ("b", None), ("c", None), ("unknown", "f9e8")]


async def test_a_partial_answer_is_not_evidence(azure: Azure) -> None:
    answer(azure, [], error={"code": "PartialError", "message": "demo", "details": []})
    failed = await failing(azure)
    assert isinstance(failed, Transient)
    assert failed.code == "PartialEvidence"


@pytest.mark.parametrize("status", [429, 500, 504])
async def test_a_failing_service_is_called_once(azure: Azure, status: int) -> None:
    headers = {"Retry-After": "7"}
    azure.faults.add(Fault("answer", "logs.query", status=status, headers=headers, times=9))
    assert isinstance(await failing(azure), Transient)
    assert len([call for call in azure.calls if call.operation == "logs.query"]) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BadArgumentError"), (403, "InsufficientAccessError")]
)
async def test_a_rejection_names_the_remedy(azure: Azure, status: int, code: str) -> None:
    body = {"error": {"code": code, "message": "no"}}
    azure.faults.add(Fault("answer", "logs.query", status=status, body=body))
    failed = await failing(azure)
    assert isinstance(failed, Permanent)
    assert failed.code == code
    assert "Log Analytics Data Reader" in failed.remedy
    assert "AuditEvent" in failed.remedy


async def test_the_query_goes_to_the_workspace_or_to_a_resource(azure: Azure) -> None:
    asked: list[Any] = []
    azure.exchanges.append(lambda operation, request, response: asked.append(request))
    since = azure.clock.now() - timedelta(hours=30)
    for place in ("workspace-1", "/subscriptions/s/resourceGroups/g/providers/p/t/n"):
        async with evidence(azure, place) as one:
            await one.readers(VAULT, "ai-key", since)
    host = "https://api.loganalytics.io/v1"
    assert [request.url for request in asked] == [
        f"{host}/workspaces/workspace-1/query",
        f"{host}/subscriptions/s/resourceGroups/g/providers/p/t/n/query",
    ]
    assert json.loads(asked[0].body)["timespan"] == "PT108000.0S"


@pytest.mark.parametrize(
    ("vault", "secret"),
    [
        (VAULT, 'x" | project 1 //'),
        (VAULT, "a/b"),
        (VAULT, ""),
        (VAULT, "a\n"),
        ('https://x"y.vault.azure.net', "ai-key"),
        ("", "ai-key"),
    ],
)
def test_a_value_that_could_end_the_text_of_the_query_is_rejected(vault: str, secret: str) -> None:
    with pytest.raises(ValueError, match="are not a vault and a secret"):
        query_for(vault, secret)


def test_the_query_counts_only_successful_reads_of_the_value_in_both_tables() -> None:
    query = query_for(f"{VAULT}/", "AI-Key")
    assert "{" not in query
    assert query.count('OperationName == "SecretGet"') == 2
    assert "| where Status == 200" in query
    assert "union isfuzzy=true" in query
    assert f'Id =~ "{VAULT}/secrets/ai-key"' in query
