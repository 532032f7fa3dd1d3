"""The clouds agree with Azure's own packages, with the deployment and with the emulator."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts
from azure.mgmt.core.tools import get_arm_endpoints

from emulator.core import clouds as emulated
from rotation.domain.cloud import (
    CHINA,
    CLOUDS,
    PUBLIC,
    US_GOVERNMENT,
    Cloud,
    chosen,
    is_within,
    strangers,
)

INFRA = json.loads((Path(__file__).parents[3] / "infra/clouds.json").read_text())

THEIRS = [
    (PUBLIC, AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    (US_GOVERNMENT, AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
    (CHINA, AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
]


@pytest.mark.parametrize(("cloud", "theirs", "authority"), THEIRS)
def test_resource_manager_and_sign_in_are_those_of_azures_packages(
    cloud: Cloud, theirs: AzureClouds, authority: str
) -> None:
    arm = get_arm_endpoints(theirs)
    assert f"{cloud.manager}/" == arm["resource_manager"]
    assert [cloud.scope] == arm["credential_scopes"]
    assert cloud.authority == authority


def test_no_cloud_of_azures_packages_is_missing() -> None:
    assert {theirs for _, theirs, _ in THEIRS} == set(AzureClouds)
    assert {cloud.name for cloud, _, _ in THEIRS} == set(CLOUDS)


@pytest.mark.parametrize("cloud", [*CLOUDS.values()])
def test_the_deployment_uses_the_same_names(cloud: Cloud) -> None:
    infra = INFRA[cloud.cli]
    assert infra["name"] == cloud.name
    assert infra["login"] == f"https://{cloud.authority}/"
    assert infra["vaultSuffix"] == cloud.vaults
    assert infra["storageSuffix"] == cloud.storage


@pytest.mark.parametrize(("cloud", "theirs"), [*zip(CLOUDS.values(), emulated.CLOUDS, strict=True)])
def test_the_emulator_has_the_same_hosts(cloud: Cloud, theirs: emulated.Cloud) -> None:
    assert cloud.manager == f"https://{theirs.arm}"
    assert cloud.vaults == theirs.vaults
    assert cloud.logs == f"https://{theirs.logs}"
    assert cloud.events == f"https://{theirs.events}/.default"
    assert cloud.may_receive_keys(f"acct.cognitiveservices.{theirs.accounts}")
    assert cloud.may_receive_keys(f"region.{theirs.regional}")
    assert cloud.is_translator(theirs.translator)


def test_no_cloud_sends_keys_to_another() -> None:
    for cloud in CLOUDS.values():
        for other in set(CLOUDS.values()) - {cloud}:
            assert not any(map(cloud.may_receive_keys, (*other.accounts, *other.translators)))


@pytest.mark.parametrize("name", ["evil-azure.us", "openai.azure.us.evil.example", ""])
def test_a_domain_ends_at_a_dot(name: str) -> None:
    assert not US_GOVERNMENT.may_receive_keys(name)


def test_an_explicit_resource_manager_wins() -> None:
    assert chosen(None, None) is PUBLIC
    assert chosen(CHINA, None) is CHINA
    found = chosen(US_GOVERNMENT, "https://arm.example")
    assert (found.manager, found.scope) == ("https://arm.example", "https://arm.example/.default")
    assert found.accounts == US_GOVERNMENT.accounts


@pytest.mark.parametrize("cloud", [*CLOUDS.values()])
def test_a_resource_manager_without_a_cloud_is_that_of_its_cloud(cloud: Cloud) -> None:
    """Former deployments in sovereign clouds only have ROTATION_ARM."""
    assert chosen(None, cloud.manager) == cloud
    regional = cloud.manager.replace("https://", "https://westeurope.")
    assert chosen(None, regional).scope == cloud.scope


def test_with_an_unknown_resource_manager_no_host_receives_a_key() -> None:
    found = chosen(None, "https://management.azure.com.evil.example")
    assert not found.may_receive_keys("acct.openai.azure.com")
    assert not found.is_translator("api.cognitive.microsofttranslator.com")


def test_vaults_of_another_cloud_are_found() -> None:
    far = "https://kv-b.vault.azure.cn"
    assert strangers(PUBLIC, ("https://kv-a.vault.azure.net", far)) == (far,)


@pytest.mark.parametrize(
    ("host", "domain", "expected"),
    [
        ("a.example", "a.example", True),
        ("b.a.example", "a.example", True),
        ("ba.example", "a.example", False),
        ("example", "a.example", False),
        ("a.example.evil", "a.example", False),
    ],
)
def test_a_host_is_within_its_domain_and_those_above(
    host: str, domain: str, expected: bool
) -> None:
    assert is_within(host, domain) is expected


def test_the_host_of_all_translators_may_receive_keys_and_no_other_is_one() -> None:
    shared = "api.cognitive.microsofttranslator.com"
    assert PUBLIC.is_translator(shared)
    assert PUBLIC.may_receive_keys(shared)
    assert not PUBLIC.is_translator("acct.openai.azure.com")


def test_a_resource_manager_is_known_by_its_host_in_any_case() -> None:
    found = chosen(None, "https://Management.Azure.com")
    assert (found.name, found.scope) == ("public", PUBLIC.scope)
    assert chosen(None, "https://evil-management.azure.com").name == "unknown"
    assert chosen(None, "https://").name == "unknown"


def test_an_unknown_resource_manager_is_asked_with_its_own_scope() -> None:
    found = chosen(None, "https://arm.example")
    assert found == replace(
        PUBLIC,
        name="unknown",
        accounts=(),
        translators=(),
        manager="https://arm.example",
        scope="https://arm.example/.default",
    )


def test_a_cloud_with_the_resource_manager_of_another_has_the_scope_of_that_one() -> None:
    found = chosen(CHINA, PUBLIC.manager)
    assert (found.name, found.manager, found.scope) == ("china", PUBLIC.manager, PUBLIC.scope)
