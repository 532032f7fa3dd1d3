"""An emulated Azure, and an identity of it that may do everything."""

from __future__ import annotations

import pytest

from emulator.azure import Azure, virtual
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.blob_store import ROLE as BLOBS
from rotation.adapters.storage_queue import ROLE as QUEUES
from rotation.runtime.clock import Clock


@pytest.fixture
def azure() -> Azure:
    azure = virtual()
    me = azure.add_principal("rotation")
    me.assign("Owner", "/").assign("Key Vault Secrets Officer", "/").assign(BLOBS, "/").assign(
        QUEUES, "/"
    )
    return azure


@pytest.fixture
def principal(azure: Azure) -> Principal:
    return azure.identity.principals[0]


@pytest.fixture
def credential(azure: Azure, principal: Principal) -> AsyncCredential:
    return AsyncCredential(azure, principal)


@pytest.fixture
def transport(azure: Azure) -> AsyncEmulatorTransport:
    return AsyncEmulatorTransport(azure)


@pytest.fixture
def clock(azure: Azure) -> Clock:
    return Clock(azure.clock.now)
