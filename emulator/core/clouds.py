"""Azure's clouds: the names of their endpoints and the audiences of their tokens.

Resource Manager, sign-in and Key Vault: ``AzureClouds`` and ``get_arm_endpoints`` of the SDKs, and
"Azure Key Vault service endpoints". Log Analytics: ``LogsQueryAudience`` of Azure.Monitor.Query.
Accounts, Translator: "Azure AI services in Azure Government", "Translator: sovereign clouds".
Event Grid: audiences as the Azure CLI's extension azure-iot-ops asks for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """One cloud. ``accounts`` is the domain of accounts, ``regional`` that of a region's host."""

    arm: str
    audiences: tuple[str, ...]
    login: str
    vaults: str
    accounts: str
    regional: str
    translator: str
    logs: str
    events: str


PUBLIC = Cloud(
    arm="management.azure.com",
    audiences=("https://management.azure.com", "https://management.core.windows.net"),
    login="login.microsoftonline.com",
    vaults="vault.azure.net",
    accounts="azure.com",
    regional="api.cognitive.microsoft.com",
    translator="api.cognitive.microsofttranslator.com",
    logs="api.loganalytics.io",
    events="eventgrid.azure.net",
)
US_GOVERNMENT = Cloud(
    arm="management.usgovcloudapi.net",
    audiences=(
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
    ),
    login="login.microsoftonline.us",
    vaults="vault.usgovcloudapi.net",
    accounts="azure.us",
    regional="api.cognitive.microsoft.us",
    translator="api.cognitive.microsofttranslator.us",
    logs="api.loganalytics.us",
    events="eventgrid.azure.us",
)
CHINA = Cloud(
    arm="management.chinacloudapi.cn",
    audiences=("https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn"),
    login="login.chinacloudapi.cn",
    vaults="vault.azure.cn",
    accounts="azure.cn",
    regional="api.cognitive.azure.cn",
    translator="api.translator.azure.cn",
    logs="api.loganalytics.azure.cn",
    events="eventgrid.azure.cn",
)
CLOUDS = (PUBLIC, US_GOVERNMENT, CHINA)


def of_arm(host: str) -> Cloud | None:
    """Return the cloud whose Resource Manager has this host."""
    return next((cloud for cloud in CLOUDS if cloud.arm == host), None)


def of_accounts(domain: str) -> Cloud:
    """Return the cloud with this domain of accounts. Raises ValueError."""
    return _only(domain, {cloud.accounts: cloud for cloud in CLOUDS})


def of_vaults(suffix: str) -> Cloud:
    """Return the cloud with this suffix of vaults. Raises ValueError."""
    return _only(suffix, {cloud.vaults: cloud for cloud in CLOUDS})


def of_translator(host: str) -> Cloud | None:
    """Return the cloud whose Translator has this host."""
    return next((cloud for cloud in CLOUDS if cloud.translator == host), None)


def of_logs(host: str) -> Cloud | None:
    """Return the cloud whose Log Analytics has this host."""
    return next((cloud for cloud in CLOUDS if cloud.logs == host), None)


def of_topic(host: str) -> Cloud | None:
    """Return the cloud of a custom topic's host."""
    topic = re.compile(r"[a-z0-9-]+\.[a-z0-9]+-1\.(?:ts\.)?")
    for cloud in CLOUDS:
        label = host.removesuffix(cloud.events)
        if label != host and topic.fullmatch(label):
            return cloud
    return None


def of_region(host: str) -> tuple[Cloud, str] | None:
    """Return the cloud and the region of a regional host; the region is empty for a global one."""
    for cloud in CLOUDS:
        if host == cloud.regional or host.endswith("." + cloud.regional):
            return cloud, host.removesuffix(cloud.regional).removesuffix(".")
    return None


def _only(name: str, clouds: dict[str, Cloud]) -> Cloud:
    if name not in clouds:
        raise ValueError(f"{name!r} is not of a cloud; use {', '.join(clouds)}")
    return clouds[name]
