"""Azure AI accounts through ARM (azure-mgmt-cognitiveservices)."""

from __future__ import annotations

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import DecodeError
from azure.core.pipeline import policies
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient
from azure.mgmt.core.policies import ARMHttpLoggingPolicy, AsyncARMChallengeAuthenticationPolicy

from ..domain.account import Account
from ..domain.cloud import PUBLIC, Cloud
from ..domain.errors import Transient, Unknown
from ..domain.ids import AccountId
from ..domain.keys import Keys, Slot
from ..ports import Limits
from ..runtime.clock import Clock
from . import keys_in_memory
from .pipeline import TransportFactory, client_options, observing
from .sdk_errors import SDK_ERRORS, failure


class ArmAccounts:
    """One client per subscription. ``cloud`` has their Resource Manager."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        clock: Clock,
        cloud: Cloud = PUBLIC,
        transport: TransportFactory | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._credential = credential
        self._clock = clock
        self._cloud = cloud
        self._transport = transport
        self._limits = limits
        self._clients: dict[str, CognitiveServicesManagementClient] = {}

    async def get(self, account: AccountId) -> Account:
        client = self._client(account.subscription)
        try:
            found = await client.accounts.get(account.resource_group, account.name)
            return _account(account, found)
        except SDK_ERRORS as exc:
            raise failure(exc, f"read account {account.name}") from None

    async def list(self, subscription: str) -> list[Account]:
        try:
            listed = [one async for one in self._client(subscription).accounts.list()]
        except SDK_ERRORS as exc:
            raise failure(exc, f"list the accounts of subscription {subscription}") from None
        return [found for one in listed if (found := _listed(one))]

    async def keys(self, account: AccountId) -> Keys:
        accounts = self._client(account.subscription).accounts
        try:
            found = await accounts.list_keys(account.resource_group, account.name)
        except SDK_ERRORS as exc:
            raise failure(exc, f"list the keys of {account.name}") from None
        keys = _keys(found)
        if keys is None:
            raise Transient(f"list the keys of {account.name}: ARM returned none", code="NoKeys")
        return keys

    async def regenerate(self, account: AccountId, slot: Slot) -> Keys | None:
        """Send once. Return the keys of the response; they serve for a proof only."""
        accounts = self._client(account.subscription).accounts
        doing = f"regenerate {slot} of {account.name}"
        try:
            found = await accounts.regenerate_key(account.resource_group, account.name, slot.value)
        except DecodeError:
            raise Unknown(f"{doing}: the response cannot be read", code="Unreadable") from None
        except SDK_ERRORS as exc:
            raise failure(exc, doing, effect=True) from None
        return _keys(found)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _client(self, subscription: str) -> CognitiveServicesManagementClient:
        if subscription not in self._clients:
            self._clients[subscription] = self._new_client(subscription)
        return self._clients[subscription]

    def _new_client(self, subscription: str) -> CognitiveServicesManagementClient:
        """Return a client with our own policies.

        The default policies retry, follow redirects, and register a missing resource provider,
        for which they wait without limit.
        """
        options = client_options(self._clock)
        del options["per_call_policies"]
        scope = self._cloud.scope
        chain = [
            policies.RequestIdPolicy(),
            policies.HeadersPolicy(),
            policies.UserAgentPolicy(sdk_moniker="azure-ai-key-rotation"),
            policies.ProxyPolicy(),
            policies.ContentDecodePolicy(),
            AsyncARMChallengeAuthenticationPolicy(self._credential, scope),
            *observing(self._clock, self._limits, subscription),
            ARMHttpLoggingPolicy(),
        ]
        if self._transport:
            options["transport"] = self._transport()
        return CognitiveServicesManagementClient(
            self._credential,
            subscription,
            base_url=self._cloud.manager,
            policies=chain,
            credential_scopes=[scope],
            **options,
        )


def _keys(found: Any) -> Keys | None:
    """Return the keys of a response, or None if it lacks one or is empty."""
    if not found or not found.key1 or not found.key2:
        return None
    return Keys(*map(keys_in_memory.key, (found.key1, found.key2)))


def _listed(found: Any) -> Account | None:
    """Return an account of a listing, or None if its id cannot be read."""
    try:
        return _account(AccountId.parse(str(found.id)), found)
    except (ValueError, AttributeError):
        return None


def _account(name: AccountId, found: Any) -> Account:
    properties = found.properties
    return Account(
        id=name,
        kind=found.kind or "",
        endpoint=str((properties and properties.endpoint) or ""),
        endpoints=_texts((properties and properties.endpoints) or {}),
        local_auth_disabled=bool(properties and properties.disable_local_auth),
        location=str(found.location or ""),
        provisioning_state=str((properties and properties.provisioning_state) or "Succeeded"),
    )


def _texts(found: Any) -> dict[str, str]:
    return {str(name): url for name, url in dict(found).items() if isinstance(url, str)}
