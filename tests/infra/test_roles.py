"""The roles that each deployment grants, and no others."""

from __future__ import annotations

import pytest

from .bicep import ROOT
from .deployed import CASES, Deployed, deployed, place

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
every_case = pytest.mark.parametrize("case", CASES)


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


def test_the_document_on_permissions_names_every_role() -> None:
    document = (ROOT / "docs/permissions.md").read_text()
    assert [role for role, _, _ in BASIC | OPTIONAL if role not in document] == []
