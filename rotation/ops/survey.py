"""What stands beside the managed secrets and is not managed: accounts and key-like secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..domain.errors import RotationError
from ..domain.model import Account, AccountId, TargetId
from ..ports import Accounts, Listed, Resources, SeenVault, Vaults

# By its name: values are not read for this.
_KEY_LIKE = re.compile(r"(^|[-_])(api)?keys?([-_\d]|$)|openai|aoai|cognitive|speech", re.I)


def by_account(listed: Iterable[Listed]) -> dict[AccountId, list[Listed]]:
    """What is enrolled, for whom; without what has no account."""
    found: dict[AccountId, list[Listed]] = {}
    for secret in listed:
        if secret.account:
            found.setdefault(secret.account, []).append(secret)
    return found


async def readable(accounts: Accounts, subscription: str, problems: list[str]) -> list[Account]:
    """Those of a subscription; where it cannot be read none, and ``problems`` has the reason."""
    try:
        return list(await accounts.readable(subscription))
    except RotationError as exc:
        problems.append(str(exc))
        return []


async def key_like(vaults: Vaults) -> list[TargetId]:
    """Secrets that are not enrolled and look like keys, by their names, in the vaults' order."""
    found = [secret.target for url in vaults.urls for secret in await _others(vaults, url)]
    return [target for target in found if _KEY_LIKE.search(target.name)]


async def _others(vaults: Vaults, url: str) -> list[Listed]:
    try:
        return [secret async for secret in vaults.others(url)]
    except RotationError:
        return []  # the listing of the enrolled ones has said so


async def seen_vaults(resources: Resources, subscriptions: Iterable[str]) -> dict[str, SeenVault]:
    """Vaults by their URLs; a subscription that cannot be listed shows none."""
    seen: dict[str, SeenVault] = {}
    for subscription in subscriptions:
        try:
            seen |= await resources.vaults(subscription)
        except RotationError:
            continue
    return seen
