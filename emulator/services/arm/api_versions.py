"""Resource Manager's check of ``api-version``."""

from __future__ import annotations

import re

from ...core.wire import Request
from .account_requests import AccountRequest
from .errors import ArmError

_FORM = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")

# The versions of Microsoft.CognitiveServices: azure-rest-api-specs, cognitiveservices.
ACCOUNTS = (
    "2016-02-01-preview",
    "2017-04-18",
    "2021-04-30",
    "2021-10-01",
    "2022-03-01",
    "2022-10-01",
    "2022-12-01",
    "2023-05-01",
    "2023-10-01-preview",
    "2024-04-01-preview",
    "2024-06-01-preview",
    "2024-10-01",
    "2025-04-01-preview",
    "2025-06-01",
    "2025-07-01-preview",
    "2025-09-01",
    "2025-10-01-preview",
    "2025-12-01",
)


def check_api_version(request: Request, parsed: object) -> None:
    """Raise ArmError if the version is missing, malformed, or not one of the accounts' provider."""
    version = request.query.get("api-version", "")
    if not version:
        text = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", text)
    if not _FORM.fullmatch(version):
        raise ArmError(
            400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid."
        )
    if isinstance(parsed, AccountRequest) and parsed.action and version not in ACCOUNTS:
        text = (
            f"No registered resource provider found for API version '{version}' for type "
            f"'accounts'. The supported api-versions are '{', '.join(ACCOUNTS)}'."
        )
        raise ArmError(400, "NoRegisteredProviderFound", text)
