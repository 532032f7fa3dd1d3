"""Assertions on the deployments of ``snapshots/``: their roles, names, tags and open doors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rotation.domain import bindings
from rotation.settings import environment

from .deployed import CASES, Deployed, deployed, place

ONE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups"
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
    "3b03c2da-16b3-4a49-8834-0f8130efdd3b": "Log Analytics Data Reader",
}
# Role, type of the resource, and whose identity.
BASIC = {
    ("Storage Blob Data Owner", "storageAccounts", "service"),
    ("Storage Queue Data Contributor", "queues", "service"),
    ("Storage Queue Data Message Sender", "storageAccounts", "topic"),
    ("Storage Blob Data Contributor", "storageAccounts", "topic"),
    ("Monitoring Metrics Publisher", "components", "service"),
    ("Secret publisher", "vaults", "service"),
    ("Key rotator", "accounts", "service"),
}
OPTIONAL = {
    ("EventGrid Data Sender", "topics", "service"),
    ("Log Analytics Data Reader", "workspaces", "service"),
}
GRANTED = {"everything": BASIC | OPTIONAL}
# Length and characters that Azure accepts: learn.microsoft.com, "Naming rules and restrictions".
NAMES = {
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9][a-z0-9-]{2,62}",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[^%&\\?/]{1,260}",
    "Microsoft.Insights/actionGroups": r"[^/&%\\?]{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>%:{}&#+@/\\?]{1,259}[^ .]",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/]{1,259}[^ .]",
    "Microsoft.Insights/workbooks": r"[0-9a-f-]{36}",
    "Microsoft.Insights/diagnosticSettings": r"[^*<>%:&\\?+/]{1,260}",
    "Microsoft.Authorization/locks": r"[\w().-]{1,90}",
    "Microsoft.Authorization/roleDefinitions": r"[0-9a-f-]{36}",
    "Microsoft.EventGrid/systemTopics": r"[A-Za-z0-9-]{3,50}",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": r"[A-Za-z0-9-]{3,64}",
    "Microsoft.EventGrid/topics": r"[A-Za-z0-9-]{3,50}",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Network/networkSecurityGroups": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateDnsZones": r"[a-z0-9.-]{1,63}",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
}
# Azure gives these their names, or they repeat that of their parent.
FIXED = re.compile(
    r"default|scm|ftp|authsettingsV2|\[guid\(|privatelink|vnet-rotation-[a-z0-9]{13}$"
)
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
class TestRoles:
    def test_these_are_granted_and_no_more(self, case: str) -> None:
        assert _granted(deployed(case)) == GRANTED.get(case, BASIC)

    def test_nobody_is_granted_a_right_on_a_whole_group(self, case: str) -> None:
        grants = deployed(case).of("Microsoft.Authorization/roleAssignments")
        assert all("/providers/" in place(one) for one in grants)

    def test_the_service_may_do_what_it_needs_and_no_more(self, case: str) -> None:
        actions = {
            action
            for one in deployed(case).of("Microsoft.Authorization/roleDefinitions")
            for permission in one["properties"]["permissions"]
            for action in [*permission["actions"], *permission["dataActions"]]
        }
        assert actions == {
            "Microsoft.CognitiveServices/accounts/read",
            "Microsoft.CognitiveServices/accounts/listKeys/action",
            "Microsoft.CognitiveServices/accounts/regenerateKey/action",
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            "Microsoft.KeyVault/vaults/secrets/update/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        }


def _granted(found: Deployed) -> set[tuple[str, str, str]]:
    custom = {
        one["name"]: one["properties"]["roleName"].partition(" (")[0]
        for one in found.of("Microsoft.Authorization/roleDefinitions")
    }
    grants = set()
    for one in found.of("Microsoft.Authorization/roleAssignments"):
        role = (ROLES | custom)[one["properties"]["roleDefinitionId"].rpartition("/")[2]]
        whose = "topic" if "systemTopics" in one["properties"]["principalId"] else "service"
        grants.add((role, place(one).split("/")[-2], whose))
    return grants


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


@every_case
def test_azure_accepts_every_name(case: str) -> None:
    for one in deployed(case).resources:
        name = one["name"].rpartition("/")[2]
        rule = NAMES.get(one["type"])
        if rule and not one["name"].startswith("["):
            assert re.fullmatch(rule, name), one["id"]
        else:
            assert FIXED.search(one["name"]), one["id"]


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


class TestOptions:
    def test_the_journal_is_locked_unless_the_lock_is_switched_off(self) -> None:
        lock = deployed("one_vault").one("Microsoft.Authorization/locks")
        assert lock["properties"]["level"] == "CanNotDelete"
        assert "/storageAccounts/strotation" in lock["id"]
        assert not deployed("subscriptions").of("Microsoft.Authorization/locks")

    def test_logs_have_a_daily_cap(self) -> None:
        def cap(case: str) -> Any:
            found = deployed(case).one("Microsoft.OperationalInsights/workspaces")
            return found["properties"]["workspaceCapping"]["dailyQuotaGb"]

        assert (cap("one_vault"), cap("everything")) == (1, 5)

    def test_dead_letters_are_deleted_after_a_month(self) -> None:
        found = deployed("one_vault").one("Microsoft.Storage/storageAccounts/managementPolicies")
        (rule,) = found["properties"]["policy"]["rules"]
        assert rule["definition"]["filters"]["prefixMatch"] == ["dead-letters/"]
        assert "30" in json.dumps(rule["definition"]["actions"])

    def test_who_writes_to_the_journal_is_logged(self) -> None:
        settings = deployed("one_vault").of("Microsoft.Insights/diagnosticSettings")
        (journal,) = [one for one in settings if "/strotation" in one["id"]]
        categories = [one["category"] for one in journal["properties"]["logs"]]
        assert categories == ["StorageWrite", "StorageDelete"]

    def test_vaults_send_their_audit_logs_only_if_asked(self) -> None:
        def audited(case: str) -> list[Any]:
            found = deployed(case).of("Microsoft.Insights/diagnosticSettings")
            return [one for one in found if "/vaults/" in one["id"]]

        assert not audited("one_vault")
        assert len(audited("everything")) == 2
        assert '"AuditEvent"' in json.dumps(audited("everything"))

    def test_the_storage_sku_can_be_chosen(self) -> None:
        def sku(case: str) -> Any:
            return deployed(case).one("Microsoft.Storage/storageAccounts", "strotation")["sku"][
                "name"
            ]

        assert (sku("one_vault"), sku("everything")) == ("Standard_ZRS", "Standard_LRS")

    def test_owners_can_approve_the_private_endpoints_of_their_vaults(self) -> None:
        def connections(case: str) -> tuple[int, int]:
            found = deployed(case).one("Microsoft.Network/privateEndpoints", "kv-one")["properties"]
            own = found["privateLinkServiceConnections"]
            return len(own), len(found["manualPrivateLinkServiceConnections"])

        assert connections("sovereign_cloud") == (1, 0)
        assert connections("everything") == (0, 1)

    def test_the_dashboard_does_not_start_an_instance_for_each_request(self) -> None:
        app = deployed("one_vault").one("Microsoft.Web/sites")["properties"]
        scale = app["functionAppConfig"]["scaleAndConcurrency"]
        assert scale["triggers"]["http"]["perInstanceConcurrency"] == 16

    def test_tags_are_on_everything_that_can_have_some(self) -> None:
        tagged = [one for one in deployed("everything").resources if "tags" in one]
        assert len(tagged) > 30
        assert all(one["tags"]["owner"] == "Ada Lovelace" for one in tagged)


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
        assert found.settings()["ROTATION_ARM"] == "https://management.usgovcloudapi.net/"


class TestBindings:
    @every_case
    def test_the_service_reads_them(self, case: str) -> None:
        settings = deployed(case).settings()
        vaults = environment.load(settings | {"ROTATION_TOPIC": ""}).vaults
        assert bindings.parse(deployed(case).outputs["SERVICE_BINDINGS"], vaults)

    def test_a_vault_without_an_entry_is_bound_to_the_accounts_of_the_deployment(self) -> None:
        entries = deployed("everything").outputs["SERVICE_BINDINGS"].split(",")
        default = [entry for entry in entries if entry.startswith("kv-two=")]
        assert [entry.rpartition("/")[2] for entry in default] == ["acct-one", "acct-two"]

    def test_an_entry_replaces_the_default(self) -> None:
        entries = deployed("everything").outputs["SERVICE_BINDINGS"].split(",")
        given = [entry.partition("=") for entry in entries if entry.startswith("kv-one")]
        assert [(place, scope.rpartition("/")[2]) for place, _, scope in given] == [
            ("kv-one/team-a-*", "acct-one"),
            ("kv-one/team-b-*", "rg-ai"),
        ]
