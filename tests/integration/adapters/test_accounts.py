"""Accounts through Resource Manager: what is read, and what each failure means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.cognitive_services import ArmAccounts
from rotation.domain.errors import Permanent, RotationError, Transient, Unknown
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key, Keys, Slot
from rotation.runtime.clock import Clock

from .failures import failing

ELSEWHERE = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
async def accounts(
    azure: Azure, credential: AsyncCredential, clock: Clock
) -> AsyncIterator[ArmAccounts]:
    azure.add_account("acct")
    found = ArmAccounts(credential, clock, transport=lambda: AsyncEmulatorTransport(azure))
    yield found
    await found.close()


def id_of(azure: Azure, name: str = "acct") -> AccountId:
    return AccountId.parse(azure.account(name).id)


def answer(azure: Azure, operation: str, status: int, body: Any = None, **more: Any) -> None:
    azure.faults.add(Fault("answer", operation, status=status, body=body, times=9, **more))


async def test_an_account_is_read_with_all_that_its_probe_needs(
    azure: Azure, accounts: ArmAccounts
) -> None:
    found = await accounts.get(id_of(azure))
    there = azure.account("acct")
    assert (found.id, found.kind, found.endpoint) == (id_of(azure), "OpenAI", there.endpoint)
    assert found.endpoints == there.api_endpoints()
    assert (found.location, found.provisioning_state) == ("westeurope", "Succeeded")
    assert found.local_auth_disabled is False


@pytest.mark.parametrize("body", ["", "null", []])
async def test_an_answer_without_an_account_is_temporary(
    azure: Azure, accounts: ArmAccounts, body: Any
) -> None:
    answer(azure, "arm.get_account", 200, body)
    failed = await failing(accounts.get(id_of(azure)))
    assert (type(failed), failed.code) == (Transient, "Unreadable")


async def test_an_account_without_key_authentication_is_told_apart(
    azure: Azure, accounts: ArmAccounts
) -> None:
    azure.add_account("keyless", disable_local_auth=True, provisioning_state="Accepted")
    found = await accounts.get(id_of(azure, "keyless"))
    assert found.local_auth_disabled is True
    assert found.provisioning_state == "Accepted"


@pytest.mark.parametrize("properties", [None, {}, {"endpoint": None, "endpoints": None}])
async def test_an_account_without_properties_can_be_read(
    azure: Azure, accounts: ArmAccounts, properties: Any
) -> None:
    body = {"id": azure.account("acct").id, "name": "acct", "properties": properties}
    answer(azure, "arm.get_account", 200, body)
    found = await accounts.get(id_of(azure))
    assert (found.kind, found.endpoint, found.endpoints, found.location) == ("", "", {}, "")
    assert (found.local_auth_disabled, found.provisioning_state) == (False, "Succeeded")


async def test_only_texts_among_the_endpoints_are_used(azure: Azure, accounts: ArmAccounts) -> None:
    body = {
        "id": "x",
        "properties": {"endpoints": {"a": "https://a/", "b": None, "c": "https://c/"}},
    }
    answer(azure, "arm.get_account", 200, body)
    found = await accounts.get(id_of(azure))
    assert found.endpoints == {"a": "https://a/", "c": "https://c/"}


async def test_the_accounts_of_one_subscription_are_listed(
    azure: Azure, accounts: ArmAccounts
) -> None:
    azure.add_account("second")
    azure.add_account("third", subscription=ELSEWHERE)
    assert [one.id.name for one in await accounts.list(SUBSCRIPTION)] == ["acct", "second"]
    assert [one.id.name for one in await accounts.list(ELSEWHERE)] == ["third"]


async def test_a_listed_account_with_a_strange_id_hides_no_other(
    azure: Azure, accounts: ArmAccounts
) -> None:
    good = {"id": azure.account("acct").id, "properties": {}}
    answer(azure, "arm.list_accounts", 200, {"value": [{"id": "strange"}, None, good]})
    assert [one.id for one in await accounts.list(SUBSCRIPTION)] == [id_of(azure)]


async def test_both_keys_are_read_in_their_slots(azure: Azure, accounts: ArmAccounts) -> None:
    found, keys = await accounts.keys(id_of(azure)), azure.account("acct").keys
    assert (found.key1, found.key2) == (Key(keys["Key1"]), Key(keys["Key2"]))


@pytest.mark.parametrize("body", ["", {}, {"key1": "a" * 32}, {"key2": "a" * 32}])
async def test_a_missing_key_is_not_taken_for_an_empty_one(
    azure: Azure, accounts: ArmAccounts, body: Any
) -> None:
    answer(azure, "arm.list_keys", 200, body)
    failed = await failing(accounts.keys(id_of(azure)))
    assert (type(failed), failed.code) == (Transient, "NoKeys")


@pytest.mark.parametrize("slot", Slot)
async def test_the_named_slot_alone_is_regenerated(
    azure: Azure, accounts: ArmAccounts, slot: Slot
) -> None:
    before = dict(azure.account("acct").keys)
    answered = await accounts.regenerate(id_of(azure), slot)
    after = azure.account("acct").keys
    assert answered == Keys(Key(after["Key1"]), Key(after["Key2"]))
    assert {name for name in after if after[name] != before[name]} == {slot.value}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Unknown), (408, Unknown), (429, Transient), (409, Permanent), (403, Permanent)],
)
async def test_a_regenerate_may_have_happened_only_if_arm_failed(
    azure: Azure, accounts: ArmAccounts, status: int, kind: type[RotationError]
) -> None:
    answer(azure, "arm.regenerate_key", status, {"error": {"code": "Strange", "message": "no"}})
    failed = await failing(accounts.regenerate(id_of(azure), Slot.KEY1))
    assert type(failed) is kind
    assert str(failed).startswith("regenerate Key1 of acct")
    assert [call.operation for call in azure.calls] == ["arm.regenerate_key"], "sent once"


async def test_an_answer_to_a_regenerate_may_lack_the_keys(
    azure: Azure, accounts: ArmAccounts
) -> None:
    answer(azure, "arm.regenerate_key", 200, {"key1": "a" * 32})
    assert await accounts.regenerate(id_of(azure), Slot.KEY1) is None


async def test_a_regenerate_whose_answer_is_not_json_is_unknown(
    azure: Azure, accounts: ArmAccounts
) -> None:
    answer(azure, "arm.regenerate_key", 200, "{", headers={"Content-Type": "application/json"})
    assert type(await failing(accounts.regenerate(id_of(azure), Slot.KEY1))) is Unknown


async def test_a_lost_answer_to_a_regenerate_is_unknown(
    azure: Azure, accounts: ArmAccounts
) -> None:
    azure.faults.add(Fault("drop", "arm.regenerate_key", after=True))
    assert type(await failing(accounts.regenerate(id_of(azure), Slot.KEY2))) is Unknown


async def test_a_failure_says_what_was_tried(azure: Azure, accounts: ArmAccounts) -> None:
    answer(azure, "arm.*", 503)
    assert str(await failing(accounts.get(id_of(azure)))).startswith("read account acct: 503")
    failed = await failing(accounts.keys(id_of(azure)))
    assert str(failed).startswith("list the keys of acct: 503")
    assert type(failed) is Transient
    failed = await failing(accounts.list(SUBSCRIPTION))
    assert str(failed).startswith(f"list the accounts of subscription {SUBSCRIPTION}: 503")
    assert len(azure.calls) == 3, "each is sent once"


async def test_each_subscription_has_one_client(azure: Azure, accounts: ArmAccounts) -> None:
    await accounts.get(id_of(azure))
    assert accounts._client(SUBSCRIPTION) is accounts._client(SUBSCRIPTION)
    assert accounts._client(SUBSCRIPTION) is not accounts._client(ELSEWHERE)


async def test_the_clock_follows_resource_manager(
    azure: Azure, credential: AsyncCredential
) -> None:
    azure.add_account("acct")
    late = Clock(lambda: azure.clock.now() - timedelta(minutes=5))
    accounts = ArmAccounts(credential, late, transport=lambda: AsyncEmulatorTransport(azure))
    await accounts.get(id_of(azure))
    await accounts.close()
    assert abs(late.skew - timedelta(minutes=5)) < timedelta(seconds=2)


async def test_a_redirect_is_not_followed(azure: Azure, accounts: ArmAccounts) -> None:
    answer(azure, "arm.list_keys", 307, headers={"Location": "https://attacker.example/keys"})
    assert "list the keys of acct: 307" in str(await failing(accounts.keys(id_of(azure))))
