"""The answers of Azure tell how near a subscription or a vault is to its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.cognitive_services import ArmAccounts
from rotation.adapters.key_vault import KeyVaults
from rotation.domain.errors import Transient
from rotation.domain.ids import AccountId, TargetId
from rotation.runtime.clock import Clock

VAULT = "https://kv-demo.vault.azure.net"


@dataclass
class Heard:
    """A record of all that the answers told."""

    writes: list[tuple[str, int]] = field(default_factory=list)
    refusals: list[tuple[str, timedelta | None]] = field(default_factory=list)

    def left(self, place: str, writes: int, now: datetime) -> None:
        self.writes.append((place, writes))

    def refused(self, place: str, asked: timedelta | None, now: datetime) -> None:
        self.refusals.append((place, asked))


@pytest.fixture
def heard() -> Heard:
    return Heard()


async def test_resource_manager_says_how_many_writes_are_left_and_how_long_to_wait(
    azure: Azure, credential: AsyncCredential, clock: Clock, heard: Heard
) -> None:
    account = AccountId.parse(azure.add_account("acct").id)
    accounts = ArmAccounts(
        credential, clock, transport=lambda: AsyncEmulatorTransport(azure), limits=heard
    )
    await accounts.get(account)
    assert heard.writes == [], "a read costs no write"
    await accounts.keys(account)
    assert heard.writes == [(account.subscription, 199)]
    for _ in range(199):
        await accounts.keys(account)
    with pytest.raises(Transient):
        await accounts.keys(account)
    assert heard.writes[-1] == (account.subscription, 0)
    assert heard.refusals == [(account.subscription, timedelta(seconds=1))]
    await accounts.close()


async def test_key_vault_says_only_that_it_refuses(
    azure: Azure, credential: AsyncCredential, clock: Clock, heard: Heard
) -> None:
    azure.add_vault("kv-demo")
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=429, times=1))
    vaults = KeyVaults(
        [VAULT], credential, clock, lambda: AsyncEmulatorTransport(azure), limits=heard
    )
    with pytest.raises(Transient):
        await vaults.get_secret(TargetId(VAULT, "ai-key"))
    assert (heard.writes, heard.refusals) == ([], [(VAULT, None)])
    await vaults.close()
