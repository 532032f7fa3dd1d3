"""Rules for secrets from assignments of Azure Policy."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.adapters import policy_rules
from rotation.domain.policies import SecretRule

BUILTIN = "/providers/Microsoft.Authorization/policyDefinitions/"
SET = "/providers/Microsoft.Authorization/policySetDefinitions/x"
MAXIMUM = BUILTIN + "342e8053-e12e-4c44-be01-c3c2f318400f"
CONTENT_TYPE = BUILTIN + "75262d3e-ba4a-4f43-85f8-9f72c090e5e3"
BEFORE_EXPIRATION = BUILTIN + "b0eb591a-5e70-4534-a8bf-04b9c489584a"
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"


def assignment(definition: str = MAXIMUM, **more: Any) -> dict[str, Any]:
    parameters = more.pop("parameters", {})
    values = {name: {"value": value} for name, value in parameters.items()}
    properties = {"policyDefinitionId": definition, "parameters": values, **more}
    return {"name": "a-1", "properties": properties}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, True),
        ({"enforcementMode": "default"}, True),
        ({"enforcementMode": "DoNotEnforce"}, False),
        ({"notScopes": None}, True),
        ({"notScopes": [VAULT.upper()]}, False),
        ({"notScopes": ["/subscriptions/s/resourceGroups/g/"]}, False),
        ({"notScopes": ["/subscriptions/s/resourceGroups/other", "/subscriptions/s"]}, False),
        ({"notScopes": ["/subscriptions/s/resourceGroups"[:-1]]}, True),
        ({"notScopes": [VAULT + "2", VAULT[:-1], VAULT + "/secrets/x"]}, True),
    ],
)
def test_an_assignment_applies_if_it_is_enforced_and_does_not_exclude_the_scope(
    properties: dict[str, Any], expected: bool
) -> None:
    assert policy_rules.applies({"properties": properties}, VAULT) is expected


def test_an_assignment_that_is_not_as_documented_applies() -> None:
    assert policy_rules.applies({"properties": "x"}, VAULT)
    assert policy_rules.applies({}, VAULT)


DENY = {"effect": "Deny"}


@pytest.mark.parametrize(
    ("definition", "parameters", "expected"),
    [
        (MAXIMUM, DENY | {"maximumValidityInDays": 90}, SecretRule("a-1", longest=90)),
        (MAXIMUM.upper(), DENY | {"maximumValidityInDays": 90}, SecretRule("a-1", longest=90)),
        (MAXIMUM, DENY | {"maximumValidityInDays": True}, SecretRule("a-1")),
        (MAXIMUM, DENY | {"maximumValidityInDays": "90"}, SecretRule("a-1")),
        (MAXIMUM, DENY, SecretRule("a-1")),
        (
            BEFORE_EXPIRATION,
            {"effect": "deny", "minimumDaysBeforeExpiration": 7},
            SecretRule("a-1", shortest=7),
        ),
        (CONTENT_TYPE, DENY, SecretRule("a-1", needs_content_type=True)),
        (MAXIMUM, {"effect": "Audit", "maximumValidityInDays": 90}, None),
        (MAXIMUM, {"maximumValidityInDays": 90}, None),
        (BUILTIN + "other", DENY, None),
    ],
)
def test_only_the_built_in_rules_that_deny_are_rules(
    definition: str, parameters: dict[str, Any], expected: SecretRule | None
) -> None:
    assert policy_rules.rule(assignment(definition, parameters=parameters)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (assignment(displayName="Shown"), "Shown"),
        (assignment(displayName=""), "a-1"),
        (assignment(), "a-1"),
        ({}, "an assignment"),
    ],
)
def test_a_rule_has_the_name_that_people_see(found: dict[str, Any], expected: str) -> None:
    assert policy_rules.name_of(found) == expected


@pytest.mark.parametrize(
    ("definition", "is_set", "is_builtin"),
    [
        (MAXIMUM, False, True),
        (SET, True, True),
        (SET.upper(), True, True),
        ("/subscriptions/s" + SET, True, False),
        ("/subscriptions/s" + MAXIMUM, False, False),
        ("", False, False),
    ],
)
def test_initiatives_and_definitions_of_azure_are_known_by_their_ids(
    definition: str, is_set: bool, is_builtin: bool
) -> None:
    found = assignment(definition)
    assert policy_rules.definition_id(found) == definition
    assert (policy_rules.is_set(found), policy_rules.is_builtin(found)) == (is_set, is_builtin)


def test_an_initiative_gives_its_definitions_the_values_of_the_assignment_or_its_own() -> None:
    initiative = {
        "properties": {
            "parameters": {
                "effect": {"defaultValue": "Audit"},
                "days": {"defaultValue": 30},
                "odd": "x",
            },
            "policyDefinitions": [
                {
                    "policyDefinitionId": MAXIMUM,
                    "parameters": {
                        "effect": {"value": "[parameters('effect')]"},
                        "maximumValidityInDays": {"value": "[parameters('days')]"},
                        "other": {"value": "x [parameters('days')]"},
                        "fixed": {"value": 7},
                        "unknown": {"value": "[parameters('missing')]"},
                        "odd": "x",
                    },
                },
                {"policyDefinitionId": CONTENT_TYPE},
                "x",
            ],
        }
    }
    given = assignment(SET, displayName="Shown", parameters={"effect": "Deny"})
    first, second, third = policy_rules.members(given, initiative)
    assert policy_rules.values_of(first) == {
        "effect": "Deny",
        "maximumValidityInDays": 30,
        "other": "x [parameters('days')]",
        "fixed": 7,
        "unknown": None,
        "odd": None,
    }
    assert policy_rules.rule(first) == SecretRule("Shown", longest=30)
    assert policy_rules.definition_id(second) == CONTENT_TYPE
    assert (policy_rules.values_of(second), policy_rules.name_of(third)) == ({}, "Shown")
    assert first["name"] == "a-1"
    assert policy_rules.members(given, {}) == []


OWN = {"if": {"field": "type", "equals": "Microsoft.KeyVault.Data/vaults/secrets"}}


@pytest.mark.parametrize(
    ("policy_rule", "is_unknown"),
    [
        (OWN | {"then": {"effect": "Deny"}}, True),
        (OWN | {"then": {"effect": "[parameters('effect')]"}}, True),
        (OWN | {"then": {"effect": "audit"}}, False),
        ({"if": {"equals": "Microsoft.Storage/x"}, "then": {"effect": "deny"}}, False),
        (None, False),
    ],
)
def test_a_definition_of_somebodys_own_that_may_deny_secrets_is_unknown(
    policy_rule: object, is_unknown: bool
) -> None:
    definition = {"properties": {"policyRule": policy_rule}}
    found = policy_rules.rule_of_own(assignment(displayName="Own"), definition)
    assert found == (SecretRule("Own", is_unknown=True) if is_unknown else None)
    assert policy_rules.rule_of_own(assignment(), {}) is None
