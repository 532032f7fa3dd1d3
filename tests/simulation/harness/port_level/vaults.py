"""The Vaults port on the emulator's state, with the same calls as the adapter makes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from emulator.services.keyvault.model import Secret as StoredSecret
from emulator.services.keyvault.model import Version as Stored
from emulator.services.keyvault.vault import Vault
from rotation.adapters.secret_properties import LATEST
from rotation.domain import tags as tag
from rotation.domain.errors import Permanent, RotationError
from rotation.domain.ids import TargetId
from rotation.domain.keys import Key
from rotation.domain.operation import PublishedVersion
from rotation.domain.targets import ListedSecret, SecretSnapshot, Target, Version, VersionInfo

from .base import Refusal, SimulatedPort

PAGE = 25


@dataclass
class SimulatedVaults(SimulatedPort):
    urls: tuple[str, ...] = ()

    async def list_secrets(self, vault: str) -> AsyncIterator[ListedSecret]:
        def names() -> list[str]:
            return sorted(self._vault(vault).secrets)

        listed = await self.call("keyvault.list_secrets", f"list the secrets of {vault}", names)
        for _ in range(PAGE, len(listed), PAGE):
            await self.call("keyvault.list_secrets", f"list the secrets of {vault}", names)
        for name in listed:
            secret = self._vault_by_url(vault).secrets.get(name)
            if secret:
                yield _listed(vault, secret)

    async def list_versions(self, target: TargetId) -> tuple[VersionInfo, ...]:
        return tuple(_info(stored) for stored in await self._list_versions(target))

    async def set_tags(self, target: TargetId, version: str, tags: Mapping[str, str]) -> None:
        def effect() -> None:
            vault = self._vault(target.vault)
            vault.update(*vault.version(target.name, version), {"tags": dict(tags)})

        await self.call("keyvault.update_secret", f"tag secret {target.name}", effect)

    async def get_secret(self, target: TargetId) -> SecretSnapshot | None:
        try:
            stored = await self._get(target, "", f"read secret {target.name}")
        except RotationError as exc:
            if exc.code == "SecretDisabled":
                return await self._read_disabled(target)
            if is_missing(exc):
                return None
            raise
        return _snapshot(target, stored, Key(stored.value))

    async def _get(self, target: TargetId, version: str, doing: str) -> Stored:
        def found() -> Stored:
            stored = self._vault(target.vault).shown_version(target.name, version)[1]
            if not stored.enabled:
                raise Refusal(403, "SecretDisabled")
            return stored

        return await self.call("keyvault.get_secret", doing, found)

    async def _read_disabled(self, target: TargetId) -> SecretSnapshot | None:
        listed = await self._list_versions(target)
        latest = max(listed, key=lambda v: _whole_seconds(v.created), default=None)
        return _snapshot(target, latest, None) if latest else None

    async def _list_versions(self, target: TargetId) -> list[Stored]:
        def shown() -> list[Stored]:
            vault = self._vault(target.vault)
            secret = vault.secrets.get(target.name.lower())
            found = vault.shown_versions(secret) if secret else []
            return sorted(found, key=lambda version: version.id)

        doing = f"list the versions of secret {target.name}"
        return await self.call("keyvault.list_versions", doing, shown)

    async def read_versions(
        self,
        target: TargetId,
        known: Mapping[str, Key] | None = None,
        listed: tuple[VersionInfo, ...] | None = None,
    ) -> tuple[Version, ...]:
        found = await self.list_versions(target) if listed is None else listed
        return tuple([await self._version(target, v, known or {}) for v in found])

    async def _version(
        self, target: TargetId, listed: VersionInfo, known: Mapping[str, Key]
    ) -> Version:
        value = known.get(listed.version) if listed.enabled else None
        if listed.enabled and value is None:
            value = await self._value(target, listed.version)
        return Version(target, listed.version, listed.created, value)

    async def _value(self, target: TargetId, version: str) -> Key | None:
        try:
            stored = await self._get(target, version, f"read a version of secret {target.name}")
        except RotationError as exc:
            if exc.code == "SecretDisabled" or is_missing(exc):
                return None
            raise
        return Key(stored.value)

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> PublishedVersion:
        def effect() -> PublishedVersion:
            vault, now = self._vault(target.id.vault), self.azure.clock.now()
            made = Stored(
                vault.new_version_id(),
                key.reveal(),
                now,
                now,
                target.enabled,
                None,
                int(expires.timestamp()),
                target.content_type,
                dict(tags),
            )
            vault.set(target.id.name, made)
            return PublishedVersion(made.id, _whole_seconds(now))

        doing = f"publish to secret {target.id.name}"
        return await self.call("keyvault.set_secret", doing, effect)

    async def disable(self, target: TargetId, version: str) -> None:
        def effect() -> None:
            vault = self._vault(target.vault)
            vault.update(*vault.version(target.name, version), {"enabled": False})

        doing = f"disable a version of secret {target.name}"
        try:
            await self.call("keyvault.update_secret", doing, effect)
        except RotationError as exc:
            if not is_missing(exc):
                raise

    def _vault_by_url(self, url: str) -> Vault:
        return self.azure.keyvault.vaults[url.removeprefix("https://")]

    def _vault(self, url: str) -> Vault:
        vault = self._vault_by_url(url)
        if not vault.open:
            raise Refusal(403, "ForbiddenByFirewall")
        return vault


def is_missing(exc: RotationError) -> bool:
    return isinstance(exc, Permanent) and exc.code in ("SecretNotFound", "NotFound")


def _listed(vault: str, secret: StoredSecret) -> ListedSecret:
    target, stored = TargetId(vault, secret.name), secret.current
    tags, problem, account = _tags(stored), "", None
    try:
        account = tag.enrolled(tags)
    except ValueError as exc:
        problem = str(exc)
    return ListedSecret(
        target,
        account,
        _expiry(stored),
        problem,
        _whole_seconds(stored.created),
        tags,
        stored.content_type or "",
        stored.enabled,
        _whole_seconds(stored.updated),
    )


def _info(stored: Stored) -> VersionInfo:
    return VersionInfo(
        stored.id,
        _whole_seconds(stored.created),
        _expiry(stored),
        stored.enabled,
        _tags(stored),
        stored.content_type,
        _whole_seconds(stored.updated),
    )


def _snapshot(target: TargetId, stored: Stored, value: Key | None) -> SecretSnapshot:
    return SecretSnapshot(
        target,
        stored.id,
        value,
        _whole_seconds(stored.created),
        _expiry(stored),
        stored.content_type,
        _tags(stored),
        updated=_whole_seconds(stored.updated),
    )


def _expiry(stored: Stored) -> datetime | None:
    """Return the expiry as the adapter does: within the years that can be counted with."""
    if not stored.exp:
        return None
    return datetime.fromtimestamp(min(max(stored.exp, 0), LATEST.timestamp()), UTC)


def _tags(stored: Stored) -> dict[str, str]:
    return {name: text or "" for name, text in (stored.tags or {}).items()}


def _whole_seconds(moment: datetime) -> datetime:
    """Return a time without its fraction, as Key Vault does."""
    return moment.replace(microsecond=0)
