"""Azure Policy's built-in rules for secrets: with the effect Deny, a write is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.services.arm.vault_responses import policy_assignment
from emulator.services.keyvault import policies

from .conftest import inner

DAY = timedelta(days=1)
RULES = [
    (policies.CONTENT_TYPE, {}, {}),
    (policies.EXPIRATION_DATE, {}, {}),
    (policies.MAXIMUM_VALIDITY, {"maximumValidityInDays": 90}, {"days": 91}),
    (policies.MINIMUM_DAYS, {"minimumDaysBeforeExpiration": 30}, {"days": 29}),
]
every_rule = pytest.mark.parametrize(("definition", "limits", "bad"), RULES)


def assign(azure: Azure, definition: str, limits: dict[str, Any], effect: str) -> None:
    found = policy_assignment(definition, {**limits, "effect": effect})
    azure.vault("kv-demo").assignments.append(found)


def write(
    client: SecretClient, azure: Azure, days: int | None = None, text: str | None = None
) -> None:
    expires = azure.clock.now() + days * DAY if days else None
    client.set_secret("a", "v", expires_on=expires, content_type=text)


@every_rule
def test_a_version_that_breaks_a_rule_is_refused(
    azure: Azure, client: SecretClient, definition: str, limits: Any, bad: Any
) -> None:
    assign(azure, definition, limits, "Deny")
    with pytest.raises(HttpResponseError) as caught:
        write(client, azure, **bad)
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByPolicy")
    assert not azure.vault("kv-demo").secrets
    write(client, azure, days=60, text="text/plain")


@every_rule
def test_a_rule_that_only_audits_refuses_nothing(
    azure: Azure, client: SecretClient, definition: str, limits: Any, bad: Any
) -> None:
    assign(azure, definition, limits, "Audit")
    write(client, azure, **bad)


def test_an_update_that_breaks_a_rule_is_refused_and_changes_nothing(
    azure: Azure, client: SecretClient
) -> None:
    write(client, azure, days=60)
    assign(azure, policies.MAXIMUM_VALIDITY, {"maximumValidityInDays": 90}, "deny")
    before = azure.secret("kv-demo", "a").current.exp
    with pytest.raises(HttpResponseError) as caught:
        client.update_secret_properties("a", expires_on=azure.clock.now() + 99 * DAY)
    assert inner(caught.value) == "ForbiddenByPolicy"
    assert azure.secret("kv-demo", "a").current.exp == before


def test_an_assignment_that_is_not_enforced_refuses_nothing(
    azure: Azure, client: SecretClient
) -> None:
    assign(azure, policies.CONTENT_TYPE, {}, "Deny")
    azure.vault("kv-demo").assignments[0]["properties"]["enforcementMode"] = "DoNotEnforce"
    write(client, azure)
