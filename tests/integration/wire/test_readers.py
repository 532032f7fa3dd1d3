"""The last readers of a secret, as the API tells them: the real clients, through a rotation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.keyvault.secrets.aio import SecretClient

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport

from .api import Api
from .product import VAULT, playground, product

WORKSPACE = {"ROTATION_LOGS_WORKSPACE": "w-1", "ROTATION_EVIDENCE": "warn"}
HOUR = timedelta(hours=1)


def estate() -> tuple[Azure, Principal, Principal]:
    """Return the playground, whose service may query the log, and two consumers."""
    azure = playground()
    azure.identity.principals[0].assign("Log Analytics Data Reader", "/workspaces/w-1")
    secrets = azure.vault("kv-demo").id
    apps = [azure.add_principal(name).assign("Key Vault Secrets User", secrets) for name in "ab"]
    return azure, apps[0], apps[1]


async def read(azure: Azure, principal: Principal) -> None:
    transport = AsyncEmulatorTransport(azure)
    async with SecretClient(VAULT, AsyncCredential(azure, principal), transport=transport) as found:
        await found.get_secret("ai-key")


async def ask(api: Api, secret: str = "ai-key") -> tuple[int, Any]:
    return await api.call("list_readers", params={"vault": "kv-demo", "secret": secret})


async def test_a_reader_of_the_old_version_is_named_after_a_rotation(tmp_path: Path) -> None:
    azure, moved, stuck = estate()
    ours = azure.identity.principals[0].object_id
    settings = WORKSPACE | {"ROTATION_EVIDENCE_IGNORE": ours}
    for app in (moved, stuck):
        await read(azure, app)
    async with product(azure, str(tmp_path / "journal"), **settings) as p:
        api = Api(p, tmp_path / "answers.txt")
        await p.triggers.sweep()
        await p.run(HOUR)
        await read(azure, moved)
        await p.run(HOUR)
        status, found = await ask(api)
    assert status == 200
    latest = azure.secret("kv-demo", "ai-key").current.id
    assert found["latest"] == latest
    assert found["problem"] == ""
    first, second = found["readers"]
    assert (first["identity"], first["version"], first["behind"]) == (
        moved.object_id,
        latest,
        False,
    )
    assert (second["identity"], second["behind"]) == (stuck.object_id, True)
    for key in azure.issued_keys():
        assert key not in (tmp_path / "answers.txt").read_text()


async def test_the_question_reads_no_value(tmp_path: Path) -> None:
    azure, _, _ = estate()
    async with product(azure, str(tmp_path / "journal"), **WORKSPACE) as p:
        before = len(azure.calls)
        await ask(Api(p, tmp_path / "answers.txt"))
    assert "keyvault.get_secret" not in {call.operation for call in azure.calls[before:]}


async def test_without_a_workspace_the_readers_are_unknown(tmp_path: Path) -> None:
    azure, _, _ = estate()
    async with product(azure, str(tmp_path / "journal")) as p:
        status, found = await ask(Api(p, tmp_path / "answers.txt"))
    assert (status, found["readers"]) == (200, None)
    assert "ROTATION_LOGS_WORKSPACE" in found["problem"]


async def test_a_log_that_cannot_be_read_makes_them_unknown_with_the_remedy(
    tmp_path: Path,
) -> None:
    azure, _, _ = estate()
    azure.faults.add(Fault("answer", "logs.query", status=403, body={"error": {}}, times=9))
    async with product(azure, str(tmp_path / "journal"), **WORKSPACE) as p:
        status, found = await ask(Api(p, tmp_path / "answers.txt"))
    assert (status, found["readers"]) == (200, None)
    assert "Log Analytics Data Reader" in found["problem"]


async def test_a_partial_result_is_not_an_answer(tmp_path: Path) -> None:
    azure, app, _ = estate()
    await read(azure, app)
    azure.logs.partial = True
    async with product(azure, str(tmp_path / "journal"), **WORKSPACE) as p:
        _, found = await ask(Api(p, tmp_path / "answers.txt"))
    assert found["readers"] is None
    assert "partial" in found["problem"]


async def test_versions_that_cannot_be_listed_make_them_unknown(tmp_path: Path) -> None:
    azure, _, _ = estate()
    async with product(azure, str(tmp_path / "journal"), **WORKSPACE) as p:
        api = Api(p, tmp_path / "answers.txt")
        await api.call("list_secrets")
        fault = Fault("answer", "keyvault.list_versions", status=503, times=9)
        azure.faults.add(fault)
        status, found = await ask(api)
    assert (status, found["readers"]) == (200, None)
    assert "503" in found["problem"]


async def test_a_secret_that_is_not_enrolled_has_no_answer(tmp_path: Path) -> None:
    azure, _, _ = estate()
    azure.add_secret("kv-demo", "other", value="of another team")
    async with product(azure, str(tmp_path / "journal"), **WORKSPACE) as p:
        status, problem = await ask(Api(p, tmp_path / "answers.txt"), "other")
    assert (status, problem["status"]) == (404, 404)
