"""Versions that Azure Policy would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.adapters import policy_rules
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.policies import SecretRule
from rotation.domain.targets import ListedSecret
from rotation.ops.doctor.findings import CheckState
from rotation.ops.doctor.policies import check_policies

VAULT = "https://kv.vault.azure.net"
SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"
ACCOUNT = AccountId("s", "g", "ai-1")
BUILT_IN = "/providers/Microsoft.Authorization/policyDefinitions/"
VALIDITY = BUILT_IN + "342e8053-e12e-4c44-be01-c3c2f318400f"
CONTENT_TYPE = BUILT_IN + "75262d3e-ba4a-4f43-85f8-9f72c090e5e3"
DAYS_LEFT = BUILT_IN + "b0eb591a-5e70-4534-a8bf-04b9c489584a"


def secret(days: int = 90, content_type: str = "") -> ListedSecret:
    tags = {"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": str(days)}
    target = TargetId(VAULT, "ai-key")
    return ListedSecret(target, ACCOUNT, tags=tags, content_type=content_type)


def assignment(definition: str = VALIDITY, **values: Any) -> dict[str, Any]:
    parameters = {name: {"value": value} for name, value in values.items()}
    properties = {"policyDefinitionId": definition, "displayName": "short lives"}
    return {"name": "a-1", "properties": properties | {"parameters": parameters}}


@pytest.mark.parametrize(
    ("rule", "one", "fix"),
    [
        (SecretRule("p", longest=60), secret(90), "at most 60"),
        (SecretRule("p", longest=90), secret(90), ""),
        (SecretRule("p", shortest=90), secret(90), "more than 90"),
        (SecretRule("p", shortest=30), secret(90), ""),
        (SecretRule("p", needs_content_type=True), secret(), "content type"),
        (SecretRule("p", needs_content_type=True), secret(content_type="text/plain"), ""),
    ],
)
def test_a_refused_version_is_found_with_its_fix(
    rule: SecretRule, one: ListedSecret, fix: str
) -> None:
    found = check_policies(VAULT, [rule], [one])
    assert found.state is (CheckState.FAILED if fix else CheckState.OK)
    assert fix in found.fix
    assert ("ai-key (p)" in found.detail) == bool(fix)


def test_a_policy_of_somebodys_own_is_a_warning_that_names_it() -> None:
    found = check_policies(VAULT, [SecretRule("own", is_unknown=True)], [secret()])
    assert (found.state, "own" in found.detail) == (CheckState.WARNING, True)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (assignment(effect="Deny", maximumValidityInDays=60), SecretRule("short lives", 60)),
        (assignment(effect="deny", maximumValidityInDays=60), SecretRule("short lives", 60)),
        (assignment(effect="Audit", maximumValidityInDays=60), None),
        (assignment(maximumValidityInDays=60), None),
        (
            assignment(CONTENT_TYPE.upper(), effect="Deny"),
            SecretRule("short lives", needs_content_type=True),
        ),
        (
            assignment(DAYS_LEFT, effect="Deny", minimumDaysBeforeExpiration=30),
            SecretRule("short lives", shortest=30),
        ),
        (assignment(BUILT_IN + "other", effect="Deny"), None),
        ({}, None),
        ({"properties": None}, None),
    ],
)
def test_what_an_assignment_denies(given: dict[str, Any], rule: SecretRule | None) -> None:
    assert policy_rules.rule(given) == rule


def test_an_assignment_that_is_not_enforced_or_excludes_the_vault_does_not_apply() -> None:
    given = assignment(effect="Deny")
    assert policy_rules.applies(given, SCOPE)
    given["properties"]["notScopes"] = ["/subscriptions/s/resourcegroups/G"]
    assert not policy_rules.applies(given, SCOPE)
    given["properties"]["notScopes"] = ["/subscriptions/s/resourcegroups/g2"]
    assert policy_rules.applies(given, SCOPE)
    given["properties"]["enforcementMode"] = "DoNotEnforce"
    assert not policy_rules.applies(given, SCOPE)


def test_the_definitions_of_an_initiative_get_its_parameters_and_their_defaults() -> None:
    given = assignment("/providers/Microsoft.Authorization/policySetDefinitions/set", days=45)
    initiative = {
        "properties": {
            "parameters": {"days": {"defaultValue": 10}, "what": {"defaultValue": "Deny"}},
            "policyDefinitions": [
                {
                    "policyDefinitionId": VALIDITY,
                    "parameters": {
                        "effect": {"value": "[parameters('what')]"},
                        "maximumValidityInDays": {"value": "[parameters('days')]"},
                    },
                },
                {"policyDefinitionId": CONTENT_TYPE, "parameters": {"effect": {"value": "Deny"}}},
            ],
        }
    }
    assert policy_rules.is_set(given)
    assert [policy_rules.rule(one) for one in policy_rules.members(given, initiative)] == [
        SecretRule("short lives", 45),
        SecretRule("short lives", needs_content_type=True),
    ]


@pytest.mark.parametrize(
    ("rule", "is_found"),
    [
        ({"if": {"field": "type", "equals": "Microsoft.KeyVault.Data/vaults/secrets"}}, False),
        (
            {
                "if": {"field": "type", "equals": "Microsoft.KeyVault.Data/vaults/secrets"},
                "then": {"effect": "deny"},
            },
            True,
        ),
        (
            {
                "if": {"field": "type", "equals": "Microsoft.KeyVault.Data/vaults/secrets"},
                "then": {"effect": "[parameters('effect')]"},
            },
            True,
        ),
        (
            {
                "if": {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                "then": {"effect": "deny"},
            },
            False,
        ),
    ],
)
def test_a_definition_of_somebodys_own_counts_if_it_may_deny_secrets(
    rule: dict[str, Any], is_found: bool
) -> None:
    found = policy_rules.rule_of_own(assignment(), {"properties": {"policyRule": rule}})
    assert (found is not None) == is_found
