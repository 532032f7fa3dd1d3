"""Other tools' order of calls, replayed with the SDK clients on the same emulator.

Neither leases the account nor proves that a key works or is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from azure.keyvault.secrets.aio import SecretClient
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient

from emulator.azure import GROUP, SUBSCRIPTION, Azure
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from rotation.adapters.file_store import FileStore
from tests.integration.wire.product import VAULT, playground

from .counting import Counts, Meter

_ACCOUNT, _SECRET = "aoai-demo", "ai-key"


class _Replay:
    """The clients of a replay."""

    def __init__(self, azure: Azure) -> None:
        credential = AsyncCredential(azure, azure.identity.principals[0])
        transport = AsyncEmulatorTransport(azure)
        arm = CognitiveServicesManagementClient(credential, SUBSCRIPTION, transport=transport)
        self._accounts = arm.accounts
        self._secrets = SecretClient(VAULT, credential, transport=transport)

    async def account(self) -> None:
        await self._accounts.get(GROUP, _ACCOUNT)

    async def keys(self) -> str:
        """Return the second key."""
        return str((await self._accounts.list_keys(GROUP, _ACCOUNT)).key2)

    async def regenerate(self, slot: str) -> str:
        """Return the key in the slot."""
        found = await self._accounts.regenerate_key(GROUP, _ACCOUNT, slot)
        return str(found.key1 if slot == "Key1" else found.key2)

    async def read(self) -> None:
        await self._secrets.get_secret(_SECRET)

    async def publish(self, value: str) -> None:
        await self._secrets.set_secret(_SECRET, value)


async def _sample(r: _Replay) -> None:
    """Replay Microsoft's sample: read the tags, regenerate the other key, list it, publish it."""
    await r.read()
    await r.regenerate("Key2")
    await r.publish(await r.keys())


async def _authjanitor(r: _Replay) -> None:
    """Replay AuthJanitor: publish the other key, regenerate, publish, regenerate the other."""
    await r.account()
    await r.keys()
    await r.read()
    await r.account()
    other = await r.keys()
    await r.read()
    await r.publish(other)
    await r.account()
    new = await r.regenerate("Key1")
    await r.read()
    await r.publish(new)
    await r.account()
    await r.regenerate("Key2")
    await r.read()


async def _counted(play: Callable[[_Replay], Awaitable[None]]) -> Counts:
    azure = playground()
    meter = Meter(azure, FileStore("."))
    await play(_Replay(azure))
    return meter.read()


async def sample() -> Counts:
    """Return the counts of Microsoft's sample. It revokes nothing before the next rotation."""
    return await _counted(_sample)


async def authjanitor() -> Counts:
    """Return the counts of AuthJanitor's order of calls, without its own storage."""
    return await _counted(_authjanitor)
