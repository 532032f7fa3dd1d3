"""Azure accepts every name: its length and its characters."""

from __future__ import annotations

import re

import pytest

from .deployed import CASES, deployed

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


@pytest.mark.parametrize("case", CASES)
def test_azure_accepts_every_name(case: str) -> None:
    for one in deployed(case).resources:
        name = one["name"].rpartition("/")[2]
        rule = NAMES.get(one["type"])
        if rule and not one["name"].startswith("["):
            assert re.fullmatch(rule, name), one["id"]
        else:
            assert FIXED.search(one["name"]), one["id"]
