"""The call that tries a key, by kind of account, and the hosts that may receive a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..domain.account import Account

_OPENAI_API = "OpenAI Language Model Instance API"

_SUBSCRIPTION_KEY = "Ocp-Apim-Subscription-Key"

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]+")

# The domains of the accounts' endpoints, by the domain of the cloud's Resource Manager.
_DOMAINS = {
    "management.azure.com": (
        "cognitiveservices.azure.com",
        "openai.azure.com",
        "services.ai.azure.com",
        "api.cognitive.microsoft.com",
    ),
    "management.usgovcloudapi.net": (
        "cognitiveservices.azure.us",
        "openai.azure.us",
        "services.ai.azure.us",
        "api.cognitive.microsoft.us",
        "api.cognitive.azure.us",
    ),
    "management.chinacloudapi.cn": (
        "cognitiveservices.azure.cn",
        "openai.azure.cn",
        "services.ai.azure.cn",
        "api.cognitive.azure.cn",
    ),
}


@dataclass(frozen=True)
class Call:
    """A cheap call without side effects that needs a key."""

    path: str
    method: str = "GET"
    header: str = _SUBSCRIPTION_KEY


_OPENAI = Call("/openai/models?api-version=2024-10-21", header="api-key")

# Also the call for a kind without a rule: if it refuses a random key, its answer is a proof.
_TOKEN = Call("/sts/v1.0/issueToken", "POST")

_CALLS = {
    "openai": _OPENAI,
    "formrecognizer": Call("/documentintelligence/info?api-version=2024-11-30"),
    "computervision": Call("/vision/v3.2/models"),
    "contentsafety": Call("/contentsafety/text/blocklists?api-version=2024-09-01"),
    "face": Call("/face/v1.0/persongroups?top=1"),
    "customvision.training": Call("/customvision/v3.3/Training/projects", header="Training-Key"),
    "textanalytics": Call("/language/authoring/analyze-text/projects?api-version=2023-04-01&top=1"),
}


def call_for(account: Account) -> tuple[Call, str]:
    """Return the call that tries a key of this account, and the endpoint to send it to."""
    openai = account.endpoints.get(_OPENAI_API)
    kind = account.kind.lower()
    if kind == "aiservices" and openai:
        return _OPENAI, openai
    return _CALLS.get(kind, _TOKEN), account.endpoint


def domains_of(arm: str) -> tuple[str, ...]:
    """Return the domains of accounts' endpoints in the cloud with this Resource Manager."""
    host = _hostname(arm)
    return next((found for manager, found in _DOMAINS.items() if _is_within(host, manager)), ())


def host_of(endpoint: str, domains: tuple[str, ...]) -> str | None:
    """Return the endpoint's host, or None if it must not receive a key."""
    if not endpoint.lower().startswith("https://"):
        return None
    host = _hostname(endpoint)
    known = any(_is_within(host, domain) for domain in domains)
    return host if known and _HOST.fullmatch(host) else None


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
