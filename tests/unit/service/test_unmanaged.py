"""Accounts and secrets that nobody rotates are named with the reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rotation.domain.account import Account
from rotation.domain.ids import AccountId, TargetId
from rotation.service.replies.fleet import UnmanagedAccountReply, UnmanagedSecretReply
from rotation.service.unmanaged import MAX_AGE, UnmanagedResources
from tests.unit.decisions.account import ACCOUNT, NOW
from tests.unit.engine.test_gatherer import OTHER, A
from tests.unit.engine.vaults import refused

from .world import Service

SECOND = timedelta(seconds=1)


class World(Service):
    """The service, and the accounts that each subscription lists."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.asked: list[str] = []
        self.listed = {"s1": [Account(ACCOUNT, "OpenAI", "e"), Account(OTHER, "OpenAI", "e")]}

        async def listed(subscription: str) -> list[Account]:
            self.asked.append(subscription)
            return self.listed.get(subscription, [])

        self.accounts.list = listed  # type: ignore[method-assign]
        self.unmanaged: UnmanagedResources = self.queries.unmanaged


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_accounts_without_a_secret_and_secrets_like_keys_are_named(world: World) -> None:
    world.vaults.add(TargetId(A, "my-api-key"), NOW, {})
    disabled = AccountId("s1", "rg-a", "off")
    world.listed["s1"].append(Account(disabled, "Speech", "e", local_auth_disabled=True))
    found, problems = await world.unmanaged.find([ACCOUNT])
    assert found.accounts == [
        UnmanagedAccountReply(
            account=str(OTHER),
            account_name="other",
            kind="OpenAI",
            reason="no secret is enrolled for it",
        ),
        UnmanagedAccountReply(
            account=str(disabled),
            account_name="off",
            kind="Speech",
            reason="its keys are disabled, so there is nothing to rotate",
        ),
    ]
    assert found.secrets == [
        UnmanagedSecretReply(vault=A, secret="my-api-key", reason="it is not enrolled")
    ]
    assert problems == []


async def test_the_subscriptions_are_those_of_managed_accounts_and_of_the_bindings(
    world: World,
) -> None:
    world.gatherer.bindings._setting = "kv=/subscriptions/S2,kv=/subscriptions/s1"
    upper = AccountId("S1", "rg-a", "acct-a")
    await world.unmanaged.find([upper, ACCOUNT])
    assert world.asked == ["s1", "s2"]


async def test_they_are_kept_for_five_minutes_unless_the_managed_ones_change(
    world: World,
) -> None:
    first = await world.unmanaged.find([ACCOUNT])
    world.now += MAX_AGE
    assert await world.unmanaged.find(iter([ACCOUNT])) is first
    world.now += SECOND
    await world.unmanaged.find([ACCOUNT])
    await world.unmanaged.find([ACCOUNT, OTHER])
    await world.unmanaged.find([ACCOUNT, OTHER])
    assert len(world.asked) == 3


async def test_a_subscription_that_cannot_be_listed_is_a_problem(world: World) -> None:
    del world.accounts.list
    world.accounts.errors = {"list": refused("the list")}
    found, problems = await world.unmanaged.find([ACCOUNT])
    assert (found.accounts, problems) == ([], ["the list is refused"])
