"""Key Vault's secrets and their properties as values of the domain. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from ..domain import tags
from ..domain.ids import TargetId
from ..domain.keys import Key
from ..domain.targets import ListedSecret, SecretSnapshot, VersionInfo

_EPOCH = datetime.fromtimestamp(0, UTC)


def key(secret: KeyVaultSecret) -> Key:
    """Return a secret's value."""
    return Key(secret.value or "")


def created(properties: SecretProperties) -> datetime:
    """Return when a version was created; 1970 if Key Vault does not say."""
    return properties.created_on or _EPOCH


def version_info(properties: SecretProperties) -> VersionInfo:
    """Return a version without its value."""
    return VersionInfo(
        properties.version or "",
        created(properties),
        properties.expires_on,
        bool(properties.enabled),
        properties.tags or {},
    )


def snapshot(
    requested: TargetId, properties: SecretProperties, value: Key | None
) -> SecretSnapshot:
    """Return the latest version of any secret.

    Key Vault's own spelling of the name is used, so that a name in another case is the same.
    """
    return SecretSnapshot(
        id=TargetId(requested.vault, properties.name or requested.name),
        version=properties.version or "",
        value=value,
        created=created(properties),
        expires=properties.expires_on,
        content_type=properties.content_type,
        tags=properties.tags or {},
    )


def listed(vault: str, properties: SecretProperties) -> ListedSecret:
    """Return a secret of a vault's listing; its account is None if it is not enrolled."""
    found, account, problem = properties.tags or {}, None, ""
    try:
        account = tags.enrolled(found)
    except ValueError as exc:
        problem = str(exc)
    target, expires = TargetId(vault, properties.name or ""), properties.expires_on
    return ListedSecret(target, account, expires, problem, properties.created_on, found)
