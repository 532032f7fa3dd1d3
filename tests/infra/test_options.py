"""The effect of each parameter on what is deployed."""

from __future__ import annotations

import json
from typing import Any

from .deployed import deployed


def test_the_journal_is_locked_unless_the_lock_is_switched_off() -> None:
    lock = deployed("one_vault").one("Microsoft.Authorization/locks")
    assert lock["properties"]["level"] == "CanNotDelete"
    assert "/storageAccounts/strotation" in lock["id"]
    assert not deployed("subscriptions").of("Microsoft.Authorization/locks")


def test_logs_have_a_daily_cap() -> None:
    def cap(case: str) -> Any:
        found = deployed(case).one("Microsoft.OperationalInsights/workspaces")
        return found["properties"]["workspaceCapping"]["dailyQuotaGb"]

    assert (cap("one_vault"), cap("everything")) == (1, 5)


def test_dead_letters_are_deleted_after_a_month() -> None:
    found = deployed("one_vault").one("Microsoft.Storage/storageAccounts/managementPolicies")
    (rule,) = found["properties"]["policy"]["rules"]
    assert rule["definition"]["filters"]["prefixMatch"] == ["dead-letters/"]
    assert "30" in json.dumps(rule["definition"]["actions"])


def test_who_writes_to_the_journal_is_logged() -> None:
    settings = deployed("one_vault").of("Microsoft.Insights/diagnosticSettings")
    (journal,) = [one for one in settings if "/strotation" in one["id"]]
    categories = [one["category"] for one in journal["properties"]["logs"]]
    assert categories == ["StorageWrite", "StorageDelete"]


def test_vaults_send_their_audit_logs_only_if_asked() -> None:
    def audited(case: str) -> list[Any]:
        found = deployed(case).of("Microsoft.Insights/diagnosticSettings")
        return [one for one in found if "/vaults/" in one["id"]]

    assert not audited("one_vault")
    assert len(audited("everything")) == 2
    assert '"AuditEvent"' in json.dumps(audited("everything"))


def test_the_storage_sku_can_be_chosen() -> None:
    def sku(case: str) -> Any:
        return deployed(case).one("Microsoft.Storage/storageAccounts", "strotation")["sku"]["name"]

    assert (sku("one_vault"), sku("everything")) == ("Standard_ZRS", "Standard_LRS")


def test_owners_can_approve_the_private_endpoints_of_their_vaults() -> None:
    def connections(case: str) -> tuple[int, int]:
        found = deployed(case).one("Microsoft.Network/privateEndpoints", "kv-one")["properties"]
        own = found["privateLinkServiceConnections"]
        return len(own), len(found["manualPrivateLinkServiceConnections"])

    assert connections("sovereign_cloud") == (1, 0)
    assert connections("everything") == (0, 1)


def test_the_dashboard_does_not_start_an_instance_for_each_request() -> None:
    app = deployed("one_vault").one("Microsoft.Web/sites")["properties"]
    scale = app["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == 16


def test_tags_are_on_everything_that_can_have_some() -> None:
    tagged = [one for one in deployed("everything").resources if "tags" in one]
    assert len(tagged) > 30
    assert all(one["tags"]["owner"] == "Ada Lovelace" for one in tagged)
