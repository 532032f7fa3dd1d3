"""Assertions on the deployments of ``snapshots/``: their roles, names, tags and open doors."""

from __future__ import annotations

import json
import re

import pytest

from rotation.domain import bindings
from rotation.settings import environment

from .deployed import CASES, deployed, place

ONE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups"
FOREIGN = {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.EventGrid/systemTopics",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/diagnosticSettings",
}

every_case = pytest.mark.parametrize("case", CASES)


def own_group(case: str) -> str:
    return str(deployed(case).one("Microsoft.Resources/resourceGroups")["id"])


@every_case
class TestHarmless:
    def test_no_resource_is_written_twice(self, case: str) -> None:
        ids = [one["id"].lower() for one in deployed(case).resources]
        assert len(ids) == len(set(ids))

    def test_every_value_is_known_or_an_expression(self, case: str) -> None:
        """Bicep writes unknown() for what it cannot evaluate, and the other tests would miss it.

        It also hides what depends on a secure parameter: the webhooks.
        """
        shown = json.dumps([*deployed(case).resources])
        assert shown.count('"webhookReceivers": "[unknown()]"') == shown.count("unknown()") == 1

    def test_few_types_are_written_beside_vaults_and_accounts(self, case: str) -> None:
        """No vault, account, workspace or resource group of somebody else is ever written."""
        outside = [
            one
            for one in deployed(case).resources
            if not place(one).startswith(own_group(case)) and "roleDefinitions" not in one["type"]
        ]
        assert {one["type"] for one in outside} <= FOREIGN

    def test_azd_takes_only_its_own_resources_for_its_own(self, case: str) -> None:
        tagged = [one for one in deployed(case).resources if "azd-env-name" in one.get("tags", {})]
        assert tagged
        assert all(place(one).startswith(own_group(case)) for one in tagged)

    def test_the_code_is_deployed_to_one_resource(self, case: str) -> None:
        found = [r for r in deployed(case).resources if "azd-service-name" in r.get("tags", {})]
        assert [one["type"] for one in found] == ["Microsoft.Web/sites"]


class TestTopics:
    def test_an_existing_topic_is_never_written(self) -> None:
        written = {
            one["name"] for one in deployed("everything").of("Microsoft.EventGrid/systemTopics")
        }
        assert "kv-one-events" in written
        assert "all-vaults" not in written
        assert not deployed("second_environment").of("Microsoft.EventGrid/systemTopics")

    def test_a_subscription_is_added_to_an_existing_topic_in_another_group(self) -> None:
        kind = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
        added = deployed("everything").one(kind, "all-vaults")
        assert added["id"].startswith(f"{ONE}/rg-events/providers/")

    def test_two_environments_share_a_vault(self) -> None:
        """The roles are the same for both; everything else is apart."""
        first, second = (
            {(one["type"], one["id"].lower()) for one in deployed(case).resources}
            for case in ("one_vault", "second_environment")
        )
        assert {kind for kind, _ in first & second} == {"Microsoft.Authorization/roleDefinitions"}


@every_case
class TestClosed:
    def test_storage(self, case: str) -> None:
        private = bool(deployed(case).of("Microsoft.Network/virtualNetworks"))
        for one in deployed(case).of("Microsoft.Storage/storageAccounts"):
            given = one["properties"]
            assert given["allowBlobPublicAccess"] is given["allowSharedKeyAccess"] is False
            assert given["minimumTlsVersion"] == "TLS1_2"
            denied = private or one["name"].startswith("stdead")
            assert given["networkAcls"]["defaultAction"] == ("Deny" if denied else "Allow")

    def test_keys_are_disabled(self, case: str) -> None:
        found = deployed(case)
        workspace = found.one("Microsoft.OperationalInsights/workspaces")["properties"]
        assert workspace["features"]["disableLocalAuth"]
        assert found.one("Microsoft.Insights/components")["properties"]["DisableLocalAuth"]
        topics = found.of("Microsoft.EventGrid/topics")
        assert all(topic["properties"]["disableLocalAuth"] for topic in topics)

    def test_the_function_app(self, case: str) -> None:
        app = deployed(case).one("Microsoft.Web/sites")["properties"]
        assert app["httpsOnly"]
        assert app["siteConfig"]["ftpsState"] == "Disabled"
        assert app["siteConfig"]["minTlsVersion"] == "1.2"
        passwords = deployed(case).of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
        assert [one["properties"]["allow"] for one in passwords] == [False, False]


class TestSignIn:
    AUTH = deployed("everything").one("Microsoft.Web/sites/config")["properties"]

    def test_it_needs_no_secret(self) -> None:
        """App Service then uses the identity of the app as a federated credential."""
        provider = self.AUTH["identityProviders"]["azureActiveDirectory"]
        name = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
        assert provider["registration"]["clientSecretSettingName"] == name
        settings = deployed("everything").settings()
        assert settings[name] == settings["ROTATION_CLIENT_ID"]

    def test_only_the_health_check_is_open(self) -> None:
        validation = self.AUTH["globalValidation"]
        assert validation["requireAuthentication"]
        assert validation["excludedPaths"] == ["/api/health"]


class TestInputs:
    def test_a_vault_that_is_named_twice_is_deployed_once(self) -> None:
        """The second time in another case, and with a comma at the end of the list."""
        grants = deployed("everything").of("Microsoft.Authorization/roleAssignments")
        assert sum("/vaults/kv-one" in place(one) for one in grants) == 1

    def test_a_role_is_defined_in_every_subscription_where_it_is_granted(self) -> None:
        roles = deployed("subscriptions").of("Microsoft.Authorization/roleDefinitions")
        assert {place(one).split("/")[2][0] for one in roles} == {"1", "2", "3"}


class TestSovereignCloud:
    def test_no_name_of_the_public_cloud_is_left(self) -> None:
        public = r"[\w.-]*(?:vault|vaultcore)\.azure\.net|core\.windows\.net|management\.azure\.com"
        text = json.dumps([*deployed("sovereign_cloud").resources])
        assert re.findall(public + r"|login\.microsoftonline\.com", text) == []

    def test_names_are_those_of_the_cloud(self) -> None:
        found = deployed("sovereign_cloud")
        zones = {one["name"] for one in found.of("Microsoft.Network/privateDnsZones")}
        assert "privatelink.vaultcore.usgovcloudapi.net" in zones
        assert "privatelink.blob.core.usgovcloudapi.net" in zones
        assert found.settings()["ROTATION_VAULTS"] == "https://kv-one.vault.usgovcloudapi.net"
        assert found.settings()["ROTATION_CLOUD"] == "usgovernment"

    def test_the_host_finds_the_storage_account(self) -> None:
        """By its URLs: the host looks for a bare account name in the public cloud."""
        settings = deployed("sovereign_cloud").settings()
        assert settings["AzureWebJobsStorage__queueServiceUri"].endswith(".usgovcloudapi.net")
        loaded = environment.load(settings | {"ROTATION_TOPIC": ""})
        assert loaded.storage is not None
        assert loaded.storage.blob_url == settings["AzureWebJobsStorage__blobServiceUri"]


class TestBindings:
    @every_case
    def test_the_service_reads_them(self, case: str) -> None:
        settings = deployed(case).settings()
        vaults = environment.load(settings | {"ROTATION_TOPIC": ""}).vaults
        assert bindings.parse(deployed(case).settings()["ROTATION_BINDINGS"], vaults)

    def test_a_vault_without_an_entry_is_bound_to_the_accounts_of_the_deployment(self) -> None:
        entries = deployed("everything").settings()["ROTATION_BINDINGS"].split(",")
        default = [entry for entry in entries if entry.startswith("kv-two=")]
        assert [entry.rpartition("/")[2] for entry in default] == ["acct-one", "acct-two"]

    def test_an_entry_replaces_the_default(self) -> None:
        entries = deployed("everything").settings()["ROTATION_BINDINGS"].split(",")
        given = [entry.partition("=") for entry in entries if entry.startswith("kv-one")]
        assert [(place, scope.rpartition("/")[2]) for place, _, scope in given] == [
            ("kv-one/team-a-*", "acct-one"),
            ("kv-one/team-b-*", "rg-ai"),
        ]
