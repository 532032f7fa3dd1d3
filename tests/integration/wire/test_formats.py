"""The key inside a connection string or a JSON document."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from azure.keyvault.secrets.aio import SecretClient

from emulator.azure import Azure
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .product import VAULT, playground, product

HOURS = timedelta(hours=1)
FORMATS = json.dumps(
    {
        "text": "Endpoint={endpoint};Account={account};Key={key}",
        "document": {"endpoint": "{endpoint}", "auth": {"key": "{key}"}},
    }
)
SETTINGS = {"ROTATION_FORMATS": FORMATS}


def value(azure: Azure, form: str, key: str) -> str:
    endpoint = azure.account("aoai-demo").endpoint
    if form == "text":
        return f"Endpoint={endpoint};Account=aoai-demo;Key={key}"
    return json.dumps({"endpoint": endpoint, "auth": {"key": key}})


def shown(azure: Azure) -> str:
    found: str = azure.secret("kv-demo", "ai-key").current.value
    return found


def estate(form: str) -> Azure:
    """Return the playground, whose secret holds the key in a format."""
    azure = playground()
    current = azure.secret("kv-demo", "ai-key").current
    current.tags = {**(current.tags or {}), "RotationFormat": form}
    current.value = value(azure, form, current.value)
    return azure


async def write(azure: Azure, text: str, tags: dict[str, str] | None = None) -> None:
    owner = azure.add_principal("owner").assign(
        "Key Vault Secrets Officer", azure.vault("kv-demo").id
    )
    async with SecretClient(
        VAULT, AsyncCredential(azure, owner), transport=AsyncEmulatorTransport(azure)
    ) as client:
        await client.set_secret("ai-key", text, tags=tags)


@pytest.mark.parametrize("form", ["text", "document"])
async def test_a_rotation_replaces_the_key_and_keeps_the_format(tmp_path: Path, form: str) -> None:
    azure = estate(form)
    before = azure.account("aoai-demo").keys["Key1"]
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(30 * HOURS)
        assert (await p.record()).history[-1].proven
        assert shown(azure) == value(azure, form, azure.account("aoai-demo").keys["Key2"])
        versions = azure.secret("kv-demo", "ai-key").versions
        assert [v.enabled for v in versions] == [False, True]
        assert azure.accounts.accepted(before) is None
        key = Key(azure.account("aoai-demo").keys["Key2"])
        found = await p.service.identification.identify(key)
        assert (found.found, found.slot) == (True, "Key2")


async def test_an_emergency_revokes_the_key_inside(tmp_path: Path) -> None:
    azure = estate("text")
    before = azure.account("aoai-demo").keys["Key1"]
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        request = RotationRequest("r", "me", TargetId(VAULT, "ai-key"), leaked=Leaked.KEY1)
        await p.service.commands.request(request)
        await p.run(HOURS)
        assert (await p.record()).phase is Phase.IDLE
    assert azure.accounts.accepted(before) is None
    assert shown(azure) == value(azure, "text", azure.account("aoai-demo").keys["Key2"])


async def test_a_key_that_somebody_regenerated_is_repaired_in_the_format(tmp_path: Path) -> None:
    azure = estate("document")
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(30 * HOURS)
        account = azure.account("aoai-demo")
        azure.accounts.regenerate(account, "Key2")
        await p.triggers.sweep()
        await p.run(HOURS)
        assert shown(azure) in {value(azure, "document", key) for key in account.keys.values()}


async def test_a_hand_made_version_without_tags_is_read_in_the_format_before(
    tmp_path: Path,
) -> None:
    azure = estate("text")
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(30 * HOURS)
        made = value(azure, "text", azure.account("aoai-demo").keys["Key1"])
        await write(azure, made)
        await p.triggers.sweep()
        await p.run(HOURS)
        record = await p.record()
        assert not [seen for seen in record.seen.values() if seen.foreign]
        assert shown(azure) == made


@pytest.mark.parametrize(
    "text", ["Endpoint=x;Key=password", "0123456789abcdef" * 2, '{"a": 1}', "Server=db;Pwd=x"]
)
async def test_a_value_of_another_form_is_foreign_and_never_overwritten(
    tmp_path: Path, text: str
) -> None:
    azure = estate("text")
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(30 * HOURS)
        tags = dict(azure.secret("kv-demo", "ai-key").current.tags or {})
        await write(azure, text, tags)
        await p.triggers.sweep()
        await p.run(3 * HOURS)
        assert shown(azure) == text
        assert [seen.foreign for seen in (await p.record()).seen.values()] == [True]
        assert not [c for c in azure.calls if text in c.url]


async def test_without_the_format_nothing_is_regenerated_and_the_remedy_is_shown(
    tmp_path: Path,
) -> None:
    azure = estate("text")
    before = dict(azure.account("aoai-demo").keys)
    async with product(azure, str(tmp_path)) as p:
        await p.visit()
        await p.run(30 * HOURS)
        record = await p.record()
    assert azure.account("aoai-demo").keys == before
    assert record.last_failure is not None


async def test_a_person_who_changes_the_format_in_an_overlap_loses_no_key(tmp_path: Path) -> None:
    """The version by hand has the new format and still the old key, so the overlap begins again."""
    azure = estate("text")
    old = azure.account("aoai-demo").keys["Key1"]
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(HOURS)
        new = azure.account("aoai-demo").keys["Key2"]
        tags = dict(azure.secret("kv-demo", "ai-key").current.tags or {})
        tags["RotationFormat"] = "document"
        await p.run(24 * HOURS)
        await write(azure, value(azure, "document", old), tags)
        await p.triggers.sweep()
        await p.run(4 * HOURS)  # the first overlap would be over
        assert json.loads(shown(azure))["auth"]["key"] == new
        assert azure.accounts.accepted(old)
        await p.run(30 * HOURS)
        assert (await p.record()).history[-1].proven
    assert azure.accounts.accepted(old) is None


async def test_a_tag_alone_that_changes_in_an_overlap_changes_no_value(tmp_path: Path) -> None:
    azure = estate("text")
    async with product(azure, str(tmp_path), **SETTINGS) as p:
        await p.visit()
        await p.run(HOURS)
        published = shown(azure)
        current = azure.secret("kv-demo", "ai-key").current
        current.tags = {**(current.tags or {}), "RotationFormat": "document"}
        await p.triggers.sweep()
        await p.run(40 * HOURS)
        assert shown(azure) == published
        assert [seen.foreign for seen in (await p.record()).seen.values()] == [True]
