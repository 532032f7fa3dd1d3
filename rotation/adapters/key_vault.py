"""Secrets in Key Vault (azure-keyvault-secrets)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from azure.keyvault.secrets.aio import SecretClient

from ..domain import tags as tags_of
from ..domain.errors import Permanent, Unknown
from ..domain.formats import RAW, Formats, unknown
from ..domain.ids import TargetId
from ..domain.keys import Key
from ..domain.operation import PublishedVersion
from ..domain.targets import ListedSecret, SecretSnapshot, Target, Version, VersionInfo
from ..ports import Limits
from ..runtime.clock import Clock
from . import secret_properties
from .pipeline import TransportFactory, client_options, no_retry_transport, observing
from .sdk_errors import SDK_ERRORS, code_of, failure


class KeyVaults:
    """One client per configured vault; other vaults are refused."""

    def __init__(
        self,
        urls: Iterable[str],
        credential: AsyncTokenCredential,
        clock: Clock,
        transport: TransportFactory | None = None,
        formats: Formats | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.urls = tuple(urls)
        self._formats = formats or Formats()
        self._credential = credential
        self._clock = clock
        self._transport = transport
        self._limits = limits
        self._clients: dict[str, SecretClient] = {}

    async def list_secrets(self, vault: str) -> AsyncIterator[ListedSecret]:
        try:
            async for properties in self._client(vault).list_properties_of_secrets():
                yield secret_properties.listed(vault, properties)
        except SDK_ERRORS as exc:
            raise failure(exc, f"list the secrets of {vault}") from None

    async def set_tags(self, target: TargetId, version: str, tags: Mapping[str, str]) -> None:
        client = self._client(target.vault)
        try:
            await client.update_secret_properties(target.name, version, tags=dict(tags))
        except SDK_ERRORS as exc:
            raise failure(exc, f"tag secret {target.name}") from None

    async def get_secret(self, target: TargetId) -> SecretSnapshot | None:
        """Return the latest version with its value, enrolled or not; None if there is none."""
        found = await self._latest(target)
        return secret_properties.snapshot(target, *found) if found else None

    async def _latest(self, target: TargetId) -> tuple[SecretProperties, Key | None] | None:
        try:
            secret = await self._client(target.vault).get_secret(target.name)
        except ResourceNotFoundError:
            return None
        except SDK_ERRORS as exc:
            if _is_disabled(exc):
                return await self._latest_disabled(target)
            raise failure(exc, f"read secret {target}") from None
        name = secret_properties.format_of(secret.properties)
        return secret.properties, self._key(target, secret, name or RAW)

    def _key(self, target: TargetId, secret: KeyVaultSecret, name: str) -> Key:
        """Return the key in a value of this format. Raises Permanent if it is not defined."""
        found = secret_properties.key(secret, self._formats, name)
        if found is None:
            raise unknown(target, name)
        return found

    async def _latest_disabled(self, target: TargetId) -> tuple[SecretProperties, None] | None:
        """Return a disabled secret's latest version, which only the list of versions contains."""
        listed = [properties async for properties in self._versions(target)]
        latest = max(listed, key=secret_properties.created, default=None)
        return (latest, None) if latest else None

    async def _versions(self, target: TargetId) -> AsyncIterator[SecretProperties]:
        client = self._client(target.vault)
        try:
            async for properties in client.list_properties_of_secret_versions(target.name):
                yield properties
        except SDK_ERRORS as exc:
            raise failure(exc, f"list the versions of secret {target}") from None

    async def read_versions(
        self,
        target: TargetId,
        known: Mapping[str, Key] | None = None,
        listed: tuple[VersionInfo, ...] | None = None,
    ) -> tuple[Version, ...]:
        found = await self.list_versions(target) if listed is None else listed
        name = secret_properties.newest_format(found)
        return tuple([await self._version(target, info, name, known or {}) for info in found])

    async def list_versions(self, target: TargetId) -> tuple[VersionInfo, ...]:
        return tuple([secret_properties.version_info(p) async for p in self._versions(target)])

    async def _version(
        self, target: TargetId, info: VersionInfo, name: str, known: Mapping[str, Key]
    ) -> Version:
        """Return a version; ``name`` is the format of one that has none of our tags."""
        own = tags_of.format_of(info.tags)
        if not info.enabled:
            return Version(target, info.version, info.created, None)
        value = known.get(info.version) or await self._value(
            target, info.version, name if own is None else own
        )
        return Version(target, info.version, info.created, value)

    async def _value(self, target: TargetId, version: str, name: str) -> Key | None:
        try:
            secret = await self._client(target.vault).get_secret(target.name, version)
        except ResourceNotFoundError:
            return None
        except SDK_ERRORS as exc:
            if _is_disabled(exc):
                return None
            raise failure(exc, f"read a version of secret {target}") from None
        return self._key(target, secret, name)

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> PublishedVersion:
        doing = f"publish to secret {target.id}"
        try:
            secret = await self._client(target.id.vault).set_secret(
                target.id.name,
                key.reveal(),
                enabled=target.enabled,
                content_type=target.content_type,
                tags=tags,
                expires_on=expires,
            )
        except SDK_ERRORS as exc:
            raise failure(exc, doing, effect=True) from None
        if not secret.properties.version or not secret.properties.created_on:
            raise Unknown(f"{doing}: the response has no version", code="Unreadable")
        return PublishedVersion(secret.properties.version, secret.properties.created_on)

    async def disable(self, target: TargetId, version: str) -> None:
        client = self._client(target.vault)
        try:
            await client.update_secret_properties(target.name, version, enabled=False)
        except ResourceNotFoundError:
            return
        except SDK_ERRORS as exc:
            raise failure(exc, f"disable a version of secret {target}") from None

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _client(self, vault: str) -> SecretClient:
        if vault not in self.urls:
            raise Permanent(
                f"{vault} is not a configured vault",
                code="UnknownVault",
                remedy="add its URL to ROTATION_VAULTS",
            )
        if vault not in self._clients:
            options = client_options(
                self._clock,
                transport=(self._transport or no_retry_transport)(),
                per_call_policies=observing(self._clock, self._limits, vault),
            )
            self._clients[vault] = SecretClient(vault, self._credential, **options)
        return self._clients[vault]


def _is_disabled(exc: Exception) -> bool:
    return isinstance(exc, HttpResponseError) and code_of(exc) == "SecretDisabled"
