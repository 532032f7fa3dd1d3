"""Azure's clouds: the names that the service uses in each.

azure-core and azure-mgmt-core know Resource Manager and sign-in, and a test compares them. The
rest is of this table: no package has it. Sources are in docs/sovereign-clouds.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Cloud:
    """One cloud. ``name`` is the value of ROTATION_CLOUD, ``cli`` the Azure CLI's name.

    ``manager`` is Resource Manager, ``scope`` that of its tokens. Hosts below ``accounts`` and
    ``translators`` may receive an account's key; all Translators share the latter.
    """

    name: str
    cli: str
    manager: str
    scope: str
    authority: str
    vaults: str
    storage: str
    logs: str
    events: str
    accounts: tuple[str, ...]
    translators: tuple[str, ...]

    def may_receive_keys(self, host: str) -> bool:
        """Return whether a host is one of this cloud's accounts."""
        return any(is_within(host, domain) for domain in (*self.accounts, *self.translators))

    def is_translator(self, host: str) -> bool:
        """Return whether a host is one that all Translators share."""
        return any(is_within(host, domain) for domain in self.translators)


PUBLIC = Cloud(
    name="public",
    cli="AzureCloud",
    manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
    authority="login.microsoftonline.com",
    vaults="vault.azure.net",
    storage="core.windows.net",
    logs="https://api.loganalytics.io",
    events="https://eventgrid.azure.net/.default",
    accounts=(
        "cognitiveservices.azure.com",
        "openai.azure.com",
        "services.ai.azure.com",
        "api.cognitive.microsoft.com",
    ),
    translators=("cognitive.microsofttranslator.com",),
)

US_GOVERNMENT = Cloud(
    name="usgovernment",
    cli="AzureUSGovernment",
    manager="https://management.usgovcloudapi.net",
    scope="https://management.core.usgovcloudapi.net/.default",
    authority="login.microsoftonline.us",
    vaults="vault.usgovcloudapi.net",
    storage="core.usgovcloudapi.net",
    logs="https://api.loganalytics.us",
    events="https://eventgrid.azure.us/.default",
    accounts=(
        "cognitiveservices.azure.us",
        "openai.azure.us",
        "services.ai.azure.us",
        "api.cognitive.microsoft.us",
        "api.cognitive.azure.us",
    ),
    translators=("cognitive.microsofttranslator.us",),
)

CHINA = Cloud(
    name="china",
    cli="AzureChinaCloud",
    manager="https://management.chinacloudapi.cn",
    scope="https://management.chinacloudapi.cn/.default",
    authority="login.chinacloudapi.cn",
    vaults="vault.azure.cn",
    storage="core.chinacloudapi.cn",
    logs="https://api.loganalytics.azure.cn",
    events="https://eventgrid.azure.cn/.default",
    accounts=(
        "cognitiveservices.azure.cn",
        "openai.azure.cn",
        "services.ai.azure.cn",
        "api.cognitive.azure.cn",
    ),
    translators=("translator.azure.cn",),
)

CLOUDS = {cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)}


def chosen(cloud: Cloud | None, manager: str | None) -> Cloud:
    """Return the cloud of the settings; an explicit Resource Manager wins over the cloud's.

    Without a cloud, the one that ``manager`` belongs to: former versions had no other setting. No
    key is sent anywhere if it belongs to none.
    """
    if manager is None:
        return cloud or PUBLIC
    known = _of_manager(manager)
    scope = known.scope if known else f"{manager}/.default"
    found = cloud or known or replace(PUBLIC, name="unknown", accounts=(), translators=())
    return replace(found, manager=manager, scope=scope)


def strangers(cloud: Cloud, vaults: Iterable[str]) -> tuple[str, ...]:
    """Return the URLs of vaults that are in another cloud."""
    return tuple(url for url in vaults if not url.endswith("." + cloud.vaults))


def is_within(host: str, domain: str) -> bool:
    """Return whether a host is this domain or below it."""
    return host == domain or host.endswith("." + domain)


def _of_manager(url: str) -> Cloud | None:
    host = (urlsplit(url).hostname or "").lower()
    managers = ((cloud, cloud.manager.removeprefix("https://")) for cloud in CLOUDS.values())
    return next((cloud for cloud, manager in managers if is_within(host, manager)), None)
