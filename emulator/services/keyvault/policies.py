"""Azure Policy's built-in rules for secrets: an assignment with the effect Deny refuses a write.

Key Vault, "Integrate Azure Key Vault with Azure Policy". The codes are Azure's; the words are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from .errors import KeyVaultError, forbidden
from .model import Version

MAXIMUM_VALIDITY = "342e8053-e12e-4c44-be01-c3c2f318400f"
EXPIRATION_DATE = "98728c90-32c7-4049-8429-847dc0f4fe37"
CONTENT_TYPE = "75262d3e-ba4a-4f43-85f8-9f72c090e5e3"
MINIMUM_DAYS = "b0eb591a-5e70-4534-a8bf-04b9c489584a"

DAY = timedelta(days=1).total_seconds()


def check(version: Version, assignments: Iterable[Mapping[str, Any]], operation: str) -> None:
    """Raise KeyVaultError if an assignment denies the version."""
    for assignment in assignments:
        properties = assignment["properties"]
        rule = _RULES.get(str(properties["policyDefinitionId"]).rpartition("/")[2].lower())
        if rule and _denies(properties) and rule(version, properties.get("parameters") or {}):
            raise _forbidden(operation, str(assignment["name"]), properties)


def _denies(properties: Mapping[str, Any]) -> bool:
    """Return whether an assignment is enforced and refuses; the default effect is Audit."""
    effect = str(_value(properties.get("parameters") or {}, "effect") or "Audit")
    enforced = str(properties.get("enforcementMode", "Default")).lower() == "default"
    return enforced and effect.lower() == "deny"


def _value(parameters: Mapping[str, Any], name: str) -> Any:
    return (parameters.get(name) or {}).get("value")


def _is_valid_for_too_long(version: Version, parameters: Mapping[str, Any]) -> bool:
    days = _value(parameters, "maximumValidityInDays")
    if version.exp is None or days is None:
        return False
    return version.exp - version.created.timestamp() > int(days) * DAY


def _never_expires(version: Version, parameters: Mapping[str, Any]) -> bool:
    return version.exp is None


def _has_no_content_type(version: Version, parameters: Mapping[str, Any]) -> bool:
    return not version.content_type


def _expires_too_soon(version: Version, parameters: Mapping[str, Any]) -> bool:
    days = _value(parameters, "minimumDaysBeforeExpiration")
    if version.exp is None or days is None:
        return False
    return version.exp - version.updated.timestamp() < int(days) * DAY


_RULES: Mapping[str, Callable[[Version, Mapping[str, Any]], bool]] = {
    MAXIMUM_VALIDITY: _is_valid_for_too_long,
    EXPIRATION_DATE: _never_expires,
    CONTENT_TYPE: _has_no_content_type,
    MINIMUM_DAYS: _expires_too_soon,
}


def _forbidden(operation: str, name: str, properties: Mapping[str, Any]) -> KeyVaultError:
    definition = properties["policyDefinitionId"]
    text = (
        f"Operation {operation} is disallowed by policy. Policy identifiers: "
        f'\'[{{"policyAssignment":{{"name":"{name}"}},'
        f'"policyDefinition":{{"id":"{definition}"}}}}]\'.'
    )
    return forbidden(text, "ForbiddenByPolicy")
