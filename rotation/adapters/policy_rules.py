"""Reads the rules for secrets from assignments of Azure Policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..domain.policies import SecretRule

Json = Mapping[str, Any]

# Azure Policy, built-in definitions of the category Key Vault, by the end of their ids.
_MAXIMUM_VALIDITY = "342e8053-e12e-4c44-be01-c3c2f318400f"
_CONTENT_TYPE = "75262d3e-ba4a-4f43-85f8-9f72c090e5e3"
_DAYS_BEFORE_EXPIRATION = "b0eb591a-5e70-4534-a8bf-04b9c489584a"


_REFERENCE = re.compile(r"\[parameters\('([^']+)'\)\]")

_SETS = "/providers/microsoft.authorization/policysetdefinitions/"


def applies(assignment: Json, scope: str) -> bool:
    """Return whether an assignment is enforced at a scope."""
    properties = object_of(assignment.get("properties"))
    if str(properties.get("enforcementMode", "Default")).lower() != "default":
        return False
    excluded = properties.get("notScopes") or ()
    return not any(_covers(str(one), scope) for one in excluded)


def is_set(assignment: Json) -> bool:
    """Return whether the assignment is of an initiative, which has several definitions."""
    return _SETS in definition_id(assignment).lower()


def definition_id(assignment: Json) -> str:
    """Return the id of the assigned definition or initiative."""
    return str(object_of(assignment.get("properties")).get("policyDefinitionId", ""))


def members(assignment: Json, initiative: Json) -> list[dict[str, Any]]:
    """Return the definitions of an initiative as assignments, with their parameters."""
    given = values_of(assignment)
    properties = object_of(initiative.get("properties"))
    known = {n: object_of(p).get("defaultValue") for n, p in _items(properties.get("parameters"))}
    found = []
    for one in properties.get("policyDefinitions") or ():
        parameters = {
            name: {"value": _resolved(object_of(p).get("value"), {**known, **given})}
            for name, p in _items(object_of(one).get("parameters"))
        }
        body = {**object_of(one), "parameters": parameters, "displayName": name_of(assignment)}
        found.append({"name": assignment.get("name"), "properties": body})
    return found


def rule(assignment: Json) -> SecretRule | None:
    """Return the rule of a built-in definition; None if it denies nothing that the service does."""
    values, name = values_of(assignment), name_of(assignment)
    if str(values.get("effect", "Audit")).lower() != "deny":
        return None
    definition = definition_id(assignment).lower().rpartition("/")[2]
    if definition == _MAXIMUM_VALIDITY:
        return SecretRule(name, longest=_days(values.get("maximumValidityInDays")))
    if definition == _DAYS_BEFORE_EXPIRATION:
        return SecretRule(name, shortest=_days(values.get("minimumDaysBeforeExpiration")))
    if definition == _CONTENT_TYPE:
        return SecretRule(name, needs_content_type=True)
    return None


def is_builtin(assignment: Json) -> bool:
    """Return whether the definition is Azure's own: its id has no subscription or group."""
    return definition_id(assignment).lower().startswith("/providers/microsoft.authorization/")


def rule_of_own(assignment: Json, definition: Json) -> SecretRule | None:
    """Return an unknown rule if a definition of somebody's own may deny secrets."""
    properties = object_of(definition.get("properties"))
    text = json.dumps(properties.get("policyRule", {})).lower()
    denies = "deny" in text or "parameters('effect')" in text
    if "microsoft.keyvault.data/vaults/secrets" in text and denies:
        return SecretRule(name_of(assignment), is_unknown=True)
    return None


def values_of(assignment: Json) -> dict[str, Any]:
    """Return the values of an assignment's parameters."""
    properties = object_of(assignment.get("properties"))
    return {n: object_of(p).get("value") for n, p in _items(properties.get("parameters"))}


def name_of(assignment: Json) -> str:
    """Return the name that people see."""
    properties = object_of(assignment.get("properties"))
    return str(properties.get("displayName") or assignment.get("name") or "an assignment")


def object_of(found: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return found if isinstance(found, dict) else {}


def _items(found: object) -> Iterable[tuple[str, Any]]:
    return object_of(found).items()


def _resolved(value: object, values: Mapping[str, Any]) -> object:
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return values.get(match[1]) if match else value


def _days(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _covers(excluded: str, scope: str) -> bool:
    above = excluded.lower().rstrip("/")
    return scope.lower() == above or scope.lower().startswith(above + "/")
