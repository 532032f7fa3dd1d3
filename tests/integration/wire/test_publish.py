"""The new version that a publish writes to Key Vault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from emulator.azure import Azure
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.key_vault import KeyVaults
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key
from rotation.domain.targets import Enrolment, Target
from rotation.runtime.clock import Clock
from tests.unit.decisions.account import ACCOUNT

from .product import VAULT, playground

SECRET = TargetId(VAULT, "ai-key")


@pytest.fixture
def azure() -> Azure:
    return playground()


@pytest.fixture
async def vaults(azure: Azure) -> AsyncIterator[KeyVaults]:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    clock = Clock(azure.clock.now)
    found = KeyVaults((VAULT,), credential, clock, lambda: AsyncEmulatorTransport(azure))
    yield found
    await found.close()


def target(azure: Azure, value: Key | None) -> Target:
    now = azure.clock.now()
    return Target(SECRET, "v1", value, now, None, "text/plain", {}, Enrolment(ACCOUNT))


@pytest.mark.parametrize(("value", "enabled"), [(Key("a" * 32), True), (None, False)])
async def test_a_disabled_secret_stays_disabled(
    azure: Azure, vaults: KeyVaults, value: Key | None, enabled: bool
) -> None:
    """The person who disabled it stopped its consumers on purpose."""
    expires = azure.clock.now() + timedelta(days=90)
    await vaults.publish(target(azure, value), Key("b" * 32), {"team": "blue"}, expires)
    version = azure.secret("kv-demo", "ai-key").current
    assert version.enabled is enabled


async def test_the_version_keeps_the_content_type_and_gets_tags_and_expiry(
    azure: Azure, vaults: KeyVaults
) -> None:
    expires = azure.clock.now() + timedelta(days=90)
    published = await vaults.publish(
        target(azure, Key("a" * 32)), Key("b" * 32), {"team": "blue"}, expires
    )
    version = azure.secret("kv-demo", "ai-key").current
    assert published.version == version.id
    assert version.value == "b" * 32
    assert version.tags == {"team": "blue"}
    assert version.content_type == "text/plain"
    assert version.exp == int(expires.timestamp())
