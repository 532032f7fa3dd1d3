"""Reads that tolerate failures: accounts, vaults, and secrets that are named like keys."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..domain.account import Account
from ..domain.errors import RotationError
from ..domain.ids import AccountId, TargetId
from ..domain.permissions import VaultInfo
from ..domain.targets import ListedSecret
from ..ports import Accounts, Resources, Vaults

# Judged by the name alone, without reading the value.
_KEY_LIKE = re.compile(r"(^|[-_])(api)?keys?([-_\d]|$)|openai|aoai|cognitive|speech", re.I)


def by_account(listed: Iterable[ListedSecret]) -> dict[AccountId, list[ListedSecret]]:
    """Group enrolled secrets by account, without those that name no valid account."""
    found: dict[AccountId, list[ListedSecret]] = {}
    for secret in listed:
        if secret.account:
            found.setdefault(secret.account, []).append(secret)
    return found


async def list_accounts(
    accounts: Accounts, subscription: str, problems: list[str]
) -> list[Account]:
    """List a subscription's accounts. If that fails, add the reason to ``problems``."""
    try:
        return list(await accounts.list(subscription))
    except RotationError as exc:
        problems.append(str(exc))
        return []


async def find_key_like_secrets(vaults: Vaults) -> list[TargetId]:
    """List secrets that are not enrolled but are named like keys, in the vaults' order."""
    return key_like([s for url in vaults.urls for s in await _unenrolled(vaults, url)])


def key_like(listed: Iterable[ListedSecret]) -> list[TargetId]:
    """Return the secrets that are not enrolled but are named like keys."""
    return [s.target for s in listed if not s.is_enrolled and _KEY_LIKE.search(s.target.name)]


async def _unenrolled(vaults: Vaults, url: str) -> list[ListedSecret]:
    try:
        return [s async for s in vaults.list_secrets(url) if not s.is_enrolled]
    except RotationError:
        return []  # listing the enrolled secrets has already reported it


async def visible_vaults(
    resources: Resources, subscriptions: Iterable[str]
) -> dict[str, VaultInfo]:
    """Return vaults by URL, without those of subscriptions that cannot be listed."""
    visible: dict[str, VaultInfo] = {}
    for subscription in subscriptions:
        try:
            visible |= await resources.vaults(subscription)
        except RotationError:
            continue
    return visible
