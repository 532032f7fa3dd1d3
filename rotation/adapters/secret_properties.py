"""Key Vault's secrets and their properties as values of the domain. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from ..domain import tags
from ..domain.ids import TargetId
from ..domain.keys import Key
from ..domain.targets import ListedSecret, SecretSnapshot, Target, VersionInfo

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


def snapshot(properties: SecretProperties, value: Key | None) -> SecretSnapshot:
    """Return the latest version of any secret."""
    expires, found = properties.expires_on, properties.tags or {}
    return SecretSnapshot(properties.version or "", value, expires, found)


def listed(vault: str, properties: SecretProperties) -> ListedSecret:
    """Return a secret of a vault's listing; its account is None if it is not enrolled."""
    target, found = TargetId(vault, properties.name or ""), properties.tags or {}
    try:
        account = tags.enrolled(found)
    except ValueError as exc:
        return ListedSecret(target, None, problem=str(exc))
    if account is None:
        return ListedSecret(target, None, tags=found)
    expires, made = properties.expires_on, properties.created_on
    return ListedSecret(target, account, expires, created=made, tags=found)


def target(requested: TargetId, properties: SecretProperties, value: Key | None) -> Target | None:
    """Return an enrolled secret's latest version, or None if it is not enrolled.

    Key Vault's own spelling of the name is used, so that a name in another case is the same.
    """
    found = properties.tags or {}
    try:
        enrolment = tags.read(found)
    except ValueError:
        return None
    if enrolment is None:
        return None
    return Target(
        id=TargetId(requested.vault, properties.name or requested.name),
        version=properties.version or "",
        value=value,
        created=created(properties),
        expires=properties.expires_on,
        content_type=properties.content_type,
        tags=found,
        enrolment=enrolment,
    )
