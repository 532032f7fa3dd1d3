"""The roles have every right that the service needs, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.core.faults import Fault
from emulator.core.roles import CUSTOM
from rotation.ports import Accounts, Evidence, Notifier, Probe, Vaults
from scripts import roles
from scripts.permissions.__main__ import DOCUMENT, document
from scripts.permissions.report import COMMAND
from tests.integration.wire.product import playground, product

from .run import RIGHTS, Right, everything

_ROTATION = ["Rotated", "Revoked", "Ended"]
# An admission, a rotation, a repair and an emergency; the event of a near expiry starts nothing.
ALL_TOLD = ["Admitted", *_ROTATION, "Repaired", "Ended", *_ROTATION]
OWN = {action for role in CUSTOM for action in (*role.actions, *role.data_actions)}
ADAPTERS = {
    "ArmAccounts": Accounts,
    "KeyVaults": Vaults,
    "DataPlaneProbe": Probe,
    "TopicNotifier": Notifier,
    "LogEvidence": Evidence,
}


async def test_with_exactly_these_rights_every_step_succeeds(tmp_path: Path) -> None:
    seen = await everything(str(tmp_path))
    assert seen.refusals == []
    assert seen.told == ALL_TOLD


async def test_the_run_calls_every_method_of_the_adapters(tmp_path: Path) -> None:
    """Otherwise a call whose right is missing could go unnoticed."""
    seen = await everything(str(tmp_path))
    methods = {
        f"{adapter}.{name}"
        for adapter, port in ADAPTERS.items()
        for name in vars(port)
        if not name.startswith("_") and callable(vars(port)[name])
    }
    assert {call.made_by for call in seen.calls} == methods


async def test_every_right_of_the_custom_roles_is_used_and_no_other(tmp_path: Path) -> None:
    seen = await everything(str(tmp_path))
    asks = {ask for call in seen.calls for ask in call.asks}
    custom = {role.name for role in CUSTOM}
    assert {ask.action for ask in asks if ask.role in custom} == OWN
    assert {ask.role for ask in asks} == {right.role for right in RIGHTS}


@pytest.mark.parametrize("right", RIGHTS, ids=str)
async def test_without_one_right_a_step_fails_and_the_message_names_the_role(
    right: Right, tmp_path: Path
) -> None:
    seen = await everything(str(tmp_path), right)
    assert seen.told != ALL_TOLD
    assert seen.refusals
    for refusal in seen.refusals:
        assert f"{right.action} is not allowed to the identity" in refusal or not right.action
        grant = f"custom role {right.role}" if right.action else f"role {right.role}"
        assert f"grant the service's identity the {grant} on " in refusal


async def test_a_key_in_an_error_message_is_not_quoted(tmp_path: Path) -> None:
    azure = playground()
    key = azure.account("aoai-demo").keys["Key1"]
    message = f"may not perform action 'Microsoft.CognitiveServices/{key}'"
    body = {"error": {"code": "AuthorizationFailed", "message": message}}
    azure.faults.add(Fault("answer", "arm.get_account", status=403, body=body))
    async with product(azure, str(tmp_path)) as p:
        await p.visit()
        trouble = (await p.record()).last_failure
    assert trouble is not None
    assert "may not perform action 'Microsoft.…'" in trouble.message
    assert "grant the service's identity the custom role Key rotator" in trouble.remedy


async def test_every_role_is_assigned_on_a_single_resource() -> None:
    """The playground, which these tests use, has one assignment for each resource."""
    azure = playground()
    things = {azure.account("aoai-demo").id, azure.vault("kv-demo").id}
    things |= set(azure.topics.scopes.values())
    assert {scope for scope, _ in azure.identity.principals[0].assignments} == things


def test_the_emulator_and_the_deployment_have_the_same_roles() -> None:
    assert roles.FILE.read_text() == roles.rendered(), f"run {roles.COMMAND}"


def test_a_role_with_exceptions_is_refused() -> None:
    text = roles.SOURCE.read_text()
    with pytest.raises(ValueError, match=r"Key rotator.*without exceptions"):
        roles.definitions(text.replace("notActions: []", "notActions: ['*/delete']", 1))


async def test_docs_permissions_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == await document(), f"run {COMMAND}"
