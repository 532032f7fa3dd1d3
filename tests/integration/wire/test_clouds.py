"""A rotation and its revocation in each cloud, under the cloud's own host names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulator.azure import GROUP, SUBSCRIPTION, Azure, virtual
from emulator.core import clouds
from emulator.core.clouds import Cloud
from rotation.domain.operation import Phase

from .product import Product, product

WORKSPACE = "33333333-3333-3333-3333-333333333333"
CLOUDS = {
    "public": clouds.PUBLIC,
    "usgovernment": clouds.US_GOVERNMENT,
    "china": clouds.CHINA,
}
EVERYTHING = pytest.mark.parametrize("name", [*CLOUDS])


def azure_in(cloud: Cloud) -> Azure:
    """One vault; an account with its own domain, a regional one and a global Translator."""
    azure = virtual()
    vault = azure.add_vault("kv-demo", suffix=cloud.vaults)
    azure.topics.add("topic", cloud=cloud)
    identity = azure.add_principal("rotation")
    identity.assign("Secret publisher", vault.id)
    identity.assign("EventGrid Data Sender", azure.topics.id_of("topic"))
    identity.assign("Log Analytics Reader", "/")
    azure.add_account("multi-demo", "CognitiveServices", cloud=cloud.accounts)
    azure.add_account("speech-demo", "SpeechServices", cloud=cloud.accounts, custom_domain=False)
    azure.add_account("text-demo", "TextTranslation", cloud=cloud.accounts, custom_domain=False)
    for account in azure.accounts.by_id.values():
        identity.assign("Key rotator", account.id)
        azure.add_secret(
            "kv-demo",
            f"{account.name}-key",
            publishes=(account.name, "Key1"),
            tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
            expires=azure.clock.now() + timedelta(days=10),
        )
    return azure


def settings(name: str) -> dict[str, str]:
    cloud = CLOUDS[name]
    return {
        "ROTATION_CLOUD": name,
        "ROTATION_VAULTS": f"https://kv-demo.{cloud.vaults}",
        "ROTATION_TOPIC": f"https://topic.westeurope-1.{cloud.events}/api/events",
        "ROTATION_LOGS_WORKSPACE": WORKSPACE,
    }


async def rotate_all(p: Product) -> None:
    for _ in range(6):
        await p.triggers.sweep()
        await p.run(timedelta(hours=9))


def hosts(azure: Azure) -> set[str]:
    return {urlsplit(call.url).hostname or "" for call in azure.calls}


@EVERYTHING
async def test_keys_are_rotated_and_revoked(tmp_path: Path, name: str) -> None:
    azure, cloud = azure_in(CLOUDS[name]), CLOUDS[name]
    before = {a.name: a.keys["Key1"] for a in azure.accounts.by_id.values()}
    async with product(azure, str(tmp_path), **settings(name)) as p:
        await rotate_all(p)
        for account, old in before.items():
            current = azure.secret("kv-demo", f"{account}-key").current
            assert azure.accounts.accepted(current.value) is azure.account(account)
            assert azure.accounts.accepted(old) is None
            assert (await p.record(account)).phase is Phase.IDLE
            assert (await p.record(account)).history[-1].outcome, "it ended"
    (topic,) = azure.topics.received.values()
    sent = [event["type"] for event in topic]
    assert sent.count("KeyRotation.Revoked") == len(before)
    used = hosts(azure)
    assert used == {
        cloud.arm,
        cloud.logs,
        cloud.translator,
        f"kv-demo.{cloud.vaults}",
        f"westeurope.{cloud.regional}",
        f"multi-demo.cognitiveservices.{cloud.accounts}",
        f"topic.westeurope-1.{cloud.events}",
    }


@EVERYTHING
async def test_every_call_is_accepted_by_its_service(tmp_path: Path, name: str) -> None:
    """A token for another cloud's audience is refused with 401, and a wrong host is unknown."""
    azure = azure_in(CLOUDS[name])
    async with product(azure, str(tmp_path), **settings(name)) as p:
        await rotate_all(p)
    refused = {
        call.operation
        for call in azure.calls
        if call.status in (401, 403) and not call.operation.startswith("inference")
    }
    assert not any(operation.startswith(("arm", "eventgrid", "logs")) for operation in refused)


@EVERYTHING
async def test_doctor_works(tmp_path: Path, name: str) -> None:
    azure = azure_in(CLOUDS[name])
    identity = azure.identity.principals[0]
    identity.assign("Reader", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}")
    async with product(azure, str(tmp_path), **settings(name)) as p:
        findings = (await p.service.doctor.examine()).findings
    assert not [finding for finding in findings if finding.state == "failed"]
    assert {f.state for f in findings if f.check == "account rights"} == {"ok"}


async def test_the_old_setting_is_enough_for_a_sovereign_cloud(tmp_path: Path) -> None:
    """Former versions only had ROTATION_ARM."""
    azure, cloud = azure_in(clouds.US_GOVERNMENT), clouds.US_GOVERNMENT
    given = settings("usgovernment") | {
        "ROTATION_CLOUD": "",
        "ROTATION_ARM": "https://management.usgovcloudapi.net/",
    }
    async with product(azure, str(tmp_path), **given) as p:
        await rotate_all(p)
    assert azure.topics.received[f"topic.westeurope-1.{cloud.events}"]


async def test_accounts_of_another_cloud_do_not_exist(tmp_path: Path) -> None:
    azure = azure_in(clouds.CHINA)
    before = {a.name: dict(a.keys) for a in azure.accounts.by_id.values()}
    async with product(azure, str(tmp_path), **settings("china") | {"ROTATION_CLOUD": ""}) as p:
        await rotate_all(p)
    assert before == {a.name: a.keys for a in azure.accounts.by_id.values()}
