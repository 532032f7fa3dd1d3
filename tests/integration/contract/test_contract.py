"""The emulator keeps to its own contract, and where it is at hand to Microsoft's."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.secrets.aio import SecretClient
from jsonschema import Draft4Validator

from emulator.azure import Azure, virtual
from emulator.core import contract
from emulator.core.wire import Headers, Request, Response
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from emulator.services.inference.routes import ROUTES

SPECS = os.environ.get("AZURE_SPECS", "")


def test_every_operation_of_the_data_plane_is_in_the_contract() -> None:
    assert {f"inference.{route.name}" for route in ROUTES} <= contract.operations()


@pytest.mark.parametrize(
    ("operation", "request_", "answer", "says"),
    [
        ("keyvault.nothing", Request("GET", "https://v/secrets"), (200, {}), "not in the contract"),
        ("keyvault.get_secret", Request("PUT", "https://v/secrets/a"), (200, {}), "PUT instead"),
        ("keyvault.get_secret", Request("GET", "https://v/keys/a"), (200, {}), "path"),
        ("keyvault.get_secret", Request("GET", "https://v/secrets/a"), (200, {}), "api-version"),
        (
            "keyvault.get_secret",
            Request("GET", "https://v/secrets/a?api-version=7.4"),
            (200, {"value": "x"}),
            "'required'",
        ),
        (
            "keyvault.get_secret",
            Request("GET", "https://v/secrets/a?api-version=7.4"),
            (201, {}),
            "status 201",
        ),
        ("arm.list_keys", Request("POST", "https://m/x"), (403, {"oops": 1}), "error"),
    ],
)
def test_an_exchange_that_breaks_it_is_named(
    operation: str, request_: Request, answer: tuple[int, Any], says: str
) -> None:
    response = Response.of_json(*answer)
    with pytest.raises(contract.Violation, match=says):
        contract.check(operation, request_, response)


async def everything(azure: Azure) -> None:
    """Every call of the secrets client, so that each has been checked."""
    azure.add_vault("kv-demo")
    admin = azure.add_principal("admin").assign("Key Vault Secrets Officer", "/")
    async with SecretClient(
        "https://kv-demo.vault.azure.net",
        AsyncCredential(azure, admin),
        transport=AsyncEmulatorTransport(azure),
    ) as client:
        for number in range(30):
            await client.set_secret(f"s-{number}", "x", tags={"a": "b"}, content_type="text/plain")
        await client.set_secret("s-1", "y", expires_on=azure.clock.now(), enabled=False)
        await client.update_secret_properties("s-2", tags={}, enabled=True)
        assert len([s async for s in client.list_properties_of_secrets()]) == 30
        assert len([s async for s in client.list_properties_of_secret_versions("s-1")]) == 2
        await client.get_secret("s-2")
        backup = await client.backup_secret("s-2")
        for name in ("s-2", "s-3"):
            await client.delete_secret(name)
        assert len([s async for s in client.list_deleted_secrets()]) == 2
        await client.get_deleted_secret("s-2")
        await client.purge_deleted_secret("s-2")
        await client.recover_deleted_secret("s-3")
        await client.restore_secret_backup(backup)


async def test_all_of_the_secrets_api_keeps_to_the_contract() -> None:
    azure = virtual()
    await everything(azure)
    made = {call.operation for call in azure.calls}
    assert {name for name in contract.operations() if name.startswith("keyvault.")} <= made


def official() -> dict[str, Any]:
    found = sorted(Path(SPECS).rglob("secrets.json")) if SPECS else []
    if not found:
        pytest.skip("AZURE_SPECS does not name a folder with Key Vault's secrets.json")
    swagger: dict[str, Any] = json.loads(found[-1].read_text())
    return swagger


async def test_every_exchange_keeps_to_microsofts_own_swagger() -> None:
    swagger = official()
    azure, checked = virtual(), set()

    def check(operation: str, request: Request, response: Response) -> None:
        if response.status < 400:
            checked.add(_checked(swagger, request, response))

    azure.exchanges.append(check)
    await everything(azure)
    operations = {o["operationId"] for path in swagger["paths"].values() for o in path.values()}
    assert checked == operations


def _checked(swagger: dict[str, Any], request: Request, response: Response) -> str:
    operation = _operation(swagger, request)
    names = [p.get("name") or p["$ref"] for p in operation["parameters"]]
    assert any("ApiVersion" in name for name in names)
    for parameter in operation["parameters"]:
        if parameter.get("in") == "body":
            _valid(swagger, parameter["schema"], json.loads(request.body))
    schema = operation["responses"][str(response.status)].get("schema")
    if schema:
        body = json.loads(response.body)
        if body.get("nextLink", "") is None:
            del body["nextLink"]  # the service sends null, which the swagger does not provide for
        _valid(swagger, schema, body)
    return str(operation["operationId"])


def _operation(swagger: dict[str, Any], request: Request) -> dict[str, Any]:
    path = request.path if request.path.count("/") > 1 else request.path + "/"
    literal_first = sorted(swagger["paths"].items(), key=lambda item: item[0].count("{"))
    for template, methods in literal_first:
        pattern = re.sub(r"\{secret-version\}", "[^/]*", template)
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", pattern)
        matches = re.fullmatch(pattern + "/?", path.rstrip("/") or "/") or re.fullmatch(
            pattern, path
        )
        if matches and request.method.lower() in methods:
            found: dict[str, Any] = methods[request.method.lower()]
            return found
    raise AssertionError(f"{request.method} {request.path} is in no swagger")


def _valid(swagger: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    whole = {**schema, "definitions": swagger["definitions"]}
    Draft4Validator(whole).validate(body)


def test_headers_compare_without_case() -> None:
    headers = Headers({"X-One": "1"})
    assert headers["x-ONE"] == headers.get("X-one") == "1"
    assert "x-one" in headers
