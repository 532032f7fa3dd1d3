"""Key Vault's secrets and their properties as values of the domain. Pure.

Nothing that a secret contains makes these functions raise: anyone who may write one secret could
otherwise stop the work on all others. Times are cut to a range in which dates can be added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

from ..domain import tags
from ..domain.formats import RAW, Formats
from ..domain.ids import TargetId
from ..domain.keys import Key
from ..domain.targets import ListedSecret, SecretSnapshot, VersionInfo
from . import keys_in_memory

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def key(secret: KeyVaultSecret, formats: Formats, name: str) -> Key | None:
    """Return the key in a secret's value of this format; None if the format is unknown."""
    found = formats.extract(name, _text(secret.value))
    return None if found is None else keys_in_memory.key(found)


def format_of(properties: SecretProperties) -> str | None:
    """Return the name of a version's format; None if it has none of our tags."""
    return tags.format_of(_tags(properties))


def newest_format(listed: Iterable[VersionInfo]) -> str:
    """Return the format of the newest version that has our tags; without one, the key alone."""
    known = [info for info in listed if tags.format_of(info.tags) is not None]
    newest = max(known, key=lambda info: info.created, default=None)
    return (tags.format_of(newest.tags) if newest else None) or RAW


def created(properties: SecretProperties) -> datetime:
    """Return when a version was created; 1970 if Key Vault does not say."""
    return _time(properties.created_on) or EARLIEST


def version_info(properties: SecretProperties) -> VersionInfo:
    """Return a version without its value."""
    return VersionInfo(
        _text(properties.version),
        created(properties),
        _time(properties.expires_on),
        bool(properties.enabled),
        _tags(properties),
        _text(properties.content_type) or None,
        _time(properties.updated_on),
    )


def snapshot(
    requested: TargetId, properties: SecretProperties, value: Key | None
) -> SecretSnapshot:
    """Return the latest version of any secret.

    Key Vault's own spelling of the name is used, so that a name in another case is the same.
    """
    return SecretSnapshot(
        id=TargetId(requested.vault, properties.name or requested.name),
        version=_text(properties.version),
        value=value,
        created=created(properties),
        expires=_time(properties.expires_on),
        content_type=_text(properties.content_type) or None,
        tags=_tags(properties),
        updated=_time(properties.updated_on),
    )


def listed(vault: str, properties: SecretProperties) -> ListedSecret:
    """Return a secret of a vault's listing; its account is None if it is not enrolled."""
    found, account, problem = _tags(properties), None, ""
    try:
        account = tags.enrolled(found)
    except ValueError as exc:
        problem = str(exc)
    target, expires = TargetId(vault, properties.name or ""), _time(properties.expires_on)
    created, content_type = _time(properties.created_on), _text(properties.content_type)
    enabled, updated = bool(properties.enabled), _time(properties.updated_on)
    return ListedSecret(
        *(target, account, expires, problem, created, found, content_type, enabled, updated)
    )


def _time(given: object) -> datetime | None:
    """Return a time, or None if there is none. The SDK returns a number beyond the year 9999."""
    if isinstance(given, datetime):
        return min(max(given, EARLIEST), LATEST)
    if isinstance(given, int | float):
        return LATEST if given > 0 else EARLIEST
    return None


def _tags(properties: SecretProperties) -> Mapping[str, str]:
    """Return the tags; one without a value has an empty one."""
    return {_text(name): _text(value) for name, value in (properties.tags or {}).items()}


def _text(given: object) -> str:
    """Return a text that can be encoded: JSON allows half of a surrogate pair."""
    return str(given).encode(errors="replace").decode() if given is not None else ""
