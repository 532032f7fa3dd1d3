"""The facts that the doctor reads in Resource Manager, also in another form."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from emulator.services.arm.vault_responses import policy_assignment
from emulator.services.keyvault.policies import CONTENT_TYPE
from rotation.adapters.resource_manager import ArmResources
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.permissions import Grant, Identity, VaultInfo
from rotation.domain.policies import SecretRule
from rotation.runtime.clock import Clock

from .failures import failing

URL = "https://kv-demo.vault.azure.net"
NEXT = (
    f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults"
)


@pytest.fixture
async def arm(
    azure: Azure, credential: AsyncCredential, clock: Clock
) -> AsyncIterator[ArmResources]:
    azure.add_vault("kv-demo")
    found = ArmResources(credential, clock, transport=lambda: AsyncEmulatorTransport(azure))
    yield found
    await found.close()


def answer(azure: Azure, operation: str, body: Any, status: int = 200) -> None:
    azure.faults.add(Fault("answer", operation, status=status, body=body))


class Issued:
    """A credential whose token has these claims; without them, none is issued."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        if not self._token:
            raise ClientAuthenticationError("no identity")
        return AccessToken(self._token, 2**40)


def token(claims: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{middle}.signature"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token({"upn": "ana@x", "unique_name": "u", "appid": "a", "oid": "o"}), ("ana@x", "o")),
        (token({"unique_name": "u", "appid": "a", "oid": "o"}), ("u", "o")),
        (token({"appid": "app-1", "oid": "o"}), ("app-1", "o")),
        (token({"oid": "o-22"}), ("unknown", "o-22")),
        (token({}), ("unknown", "unknown")),
        (token([]), ("unknown", "unknown")),
        ("opaque", ("unknown", "unknown")),
        ("a.%%%.c", ("unknown", "unknown")),
    ],
)
async def test_the_caller_is_named_from_its_token(
    clock: Clock, text: str, expected: tuple[str, str]
) -> None:
    credential: Any = Issued(text)
    arm = ArmResources(credential, clock)
    assert await arm.whoami() == Identity(*expected)
    await arm.close()


async def test_without_a_token_the_sign_in_fails(clock: Clock) -> None:
    credential: Any = Issued("")
    arm = ArmResources(credential, clock)
    assert str(await failing(arm.whoami())).startswith("sign in: ")
    await arm.close()


async def test_grants_keep_actions_and_exceptions_apart(azure: Azure, arm: ArmResources) -> None:
    entry = {"actions": ["a"], "notActions": ["b"], "dataActions": ["c"], "notDataActions": ["d"]}
    answer(azure, "arm.vault_permissions", {"value": [entry, {"actions": "a"}, "x", {}]})
    found = await arm.grants(azure.vault("kv-demo").id)
    assert found == [Grant(("a",), ("b",), ("c",), ("d",)), Grant(), Grant()]


async def test_subscriptions_and_vaults_are_listed(azure: Azure, arm: ArmResources) -> None:
    azure.add_vault("kv-second", subscription="00000000-2222-2222-2222-222222222222")
    assert await arm.subscriptions() == ["00000000-2222-2222-2222-222222222222", SUBSCRIPTION]
    assert await arm.vaults(SUBSCRIPTION) == {URL: VaultInfo(azure.vault("kv-demo").id, True)}


async def test_a_vault_in_another_form_hides_no_other(azure: Azure, arm: ArmResources) -> None:
    shown = {"id": "/v/1", "properties": {"vaultUri": "https://KV-one.vault.azure.net/"}}
    answer(azure, "arm.list_vaults", {"value": [None, {"name": "x"}, shown, {"id": "/v/2"}]})
    found = await arm.vaults(SUBSCRIPTION)
    one = VaultInfo("/v/1", by_roles=False)
    assert found == {"https://kv-one.vault.azure.net": one, "": VaultInfo("/v/2", False)}


async def test_every_page_is_read(azure: Azure, arm: ArmResources) -> None:
    first = {"id": "/v/1", "properties": {"vaultUri": "https://a/"}}
    answer(
        azure, "arm.list_vaults", {"value": [first], "nextLink": f"{NEXT}?api-version=2023-07-01"}
    )
    assert set(await arm.vaults(SUBSCRIPTION)) == {"https://a", URL}


@pytest.mark.parametrize("body", [[], {}, {"value": None}, "null"])
async def test_a_page_without_a_list_is_empty(azure: Azure, arm: ArmResources, body: Any) -> None:
    answer(azure, "arm.list_subscriptions", body)
    assert await arm.subscriptions() == []


async def test_a_subscription_without_an_id_is_left_out(azure: Azure, arm: ArmResources) -> None:
    listed = [{"subscriptionId": "b"}, {}, {"subscriptionId": "a"}]
    answer(azure, "arm.list_subscriptions", {"value": listed})
    assert await arm.subscriptions() == ["a", "b"]


async def test_a_page_that_is_not_json_is_transient(azure: Azure, arm: ArmResources) -> None:
    answer(azure, "arm.list_subscriptions", "{")
    failed = await failing(arm.subscriptions())
    assert (type(failed), failed.code) == (Transient, "Unreadable")


@pytest.mark.parametrize(("status", "kind"), [(201, Permanent), (403, Permanent), (503, Transient)])
async def test_any_other_status_is_a_failure(
    azure: Azure, arm: ArmResources, status: int, kind: type[RotationError]
) -> None:
    answer(azure, "arm.list_subscriptions", {"value": []}, status)
    failed = await failing(arm.subscriptions())
    assert type(failed) is kind
    assert str(failed).startswith(f"list the subscriptions: {status}")


async def test_event_types_of_a_vault_and_its_topic_are_found(
    azure: Azure, arm: ArmResources
) -> None:
    vault = azure.vault("kv-demo").id
    topics = [
        {"id": "/topics/own", "properties": {"source": vault.upper()}},
        {"id": "/topics/other", "properties": {"source": vault + "-2"}},
        {"id": "/topics/none"},
    ]
    answer(azure, "arm.list_system_topics", {"value": topics})
    of_vault = [{"properties": {"filter": {"includedEventTypes": ["A", "B"]}}}, {}]
    answer(azure, "arm.vault_events", {"value": of_vault})
    with pytest.raises(RotationError, match="list the event subscriptions"):
        await arm.event_types(vault)  # the emulator has no topic of this id
    answer(azure, "arm.list_system_topics", {"value": topics[1:]})
    answer(azure, "arm.vault_events", {"value": of_vault})
    assert await arm.event_types(vault) == [{"A", "B"}, set()]


async def test_subscriptions_of_the_system_topic_count(azure: Azure, arm: ArmResources) -> None:
    azure.subscribe("kv-demo", "https://app.example/hook", types=("SecretNearExpiry",))
    found = await arm.event_types(azure.vault("kv-demo").id)
    assert {"Microsoft.KeyVault.SecretNearExpiry"} in found


async def test_a_policy_that_denies_is_a_rule_and_another_is_not(
    azure: Azure, arm: ArmResources
) -> None:
    vault = azure.vault("kv-demo")
    vault.assignments.append(policy_assignment(CONTENT_TYPE, {"effect": "Audit"}))
    assert await arm.secret_rules(vault.id) == []
    vault.assignments.append(policy_assignment(CONTENT_TYPE, {"effect": "Deny"}))
    (rule,) = await arm.secret_rules(vault.id)
    assert rule.needs_content_type


async def test_a_policy_that_excludes_the_vault_is_not_a_rule(
    azure: Azure, arm: ArmResources
) -> None:
    vault = azure.vault("kv-demo")
    assigned = policy_assignment(CONTENT_TYPE, {"effect": "Deny"})
    assigned["properties"]["notScopes"] = [vault.id]
    vault.assignments.append(assigned)
    assert await arm.secret_rules(vault.id) == []


OWN = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/own"
SET = "/providers/Microsoft.Authorization/policySetDefinitions/set"
DENY = {"if": "Microsoft.KeyVault.Data/vaults/secrets", "then": {"effect": "deny"}}


def assigned(definition: str) -> dict[str, Any]:
    properties = {"policyDefinitionId": definition, "displayName": "ours"}
    return {"name": "a-1", "properties": properties}


async def test_an_own_policy_is_read_and_an_unknown_rule(azure: Azure, arm: ArmResources) -> None:
    vault = azure.vault("kv-demo")
    vault.assignments.append(assigned(OWN))
    answer(azure, "arm.policy_definition", {"properties": {"policyRule": DENY}})
    assert await arm.secret_rules(vault.id) == [SecretRule("ours", is_unknown=True)]


async def test_the_members_of_an_initiative_are_judged_one_by_one(
    azure: Azure, arm: ArmResources
) -> None:
    vault = azure.vault("kv-demo")
    vault.assignments.append(assigned(SET))
    inner = policy_assignment(CONTENT_TYPE, {"effect": "Deny"})["properties"]
    members = [
        {"policyDefinitionId": inner["policyDefinitionId"], "parameters": inner["parameters"]}
    ]
    answer(azure, "arm.policy_definition", {"properties": {"policyDefinitions": members}})
    assert await arm.secret_rules(vault.id) == [SecretRule("ours", needs_content_type=True)]


@pytest.mark.parametrize("definition", ["", "own"])
async def test_an_assignment_without_a_definition_is_not_looked_up(
    azure: Azure, arm: ArmResources, definition: str
) -> None:
    vault = azure.vault("kv-demo")
    vault.assignments.append(assigned(definition))
    assert await arm.secret_rules(vault.id) == []
    assert "arm.policy_definition" not in [call.operation for call in azure.calls]


async def test_a_failure_says_what_was_read(azure: Azure, arm: ArmResources) -> None:
    vault = azure.vault("kv-demo").id
    reads = {
        f"read the permissions at {vault}": arm.grants(vault),
        f"list the vaults of subscription {SUBSCRIPTION}": arm.vaults(SUBSCRIPTION),
        f"list the event subscriptions of {vault}": arm.event_types(vault),
        f"list the policies on {vault}": arm.secret_rules(vault),
    }
    azure.faults.add(Fault("answer", "arm.*", status=503, times=99))
    for doing, read in reads.items():
        assert str(await failing(read)).startswith(f"{doing}: 503")
    assert len(azure.calls) == len(reads), "each is sent once"
