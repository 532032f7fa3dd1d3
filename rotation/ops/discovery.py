"""Lists every visible account and its management state. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..domain import tags
from ..domain.account import Account
from ..domain.errors import RotationError
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Keys
from ..domain.targets import ListedSecret
from ..ports import Accounts, Resources, Vaults
from ..runtime.concurrency import gather_limited
from .keyless import Keyless, Readers, assess
from .management import DiscoveredAccount, EnrolledSecret, classify
from .survey import by_account, find_key_like_secrets, list_accounts, visible_vaults

CONCURRENCY = 8

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Discovered:
    """All accounts, and what could not be read.

    ``key_like`` are secrets that are not enrolled but are named like keys. ``keyless`` are the
    enrolled accounts whose consumers could use Entra ID instead.
    """

    accounts: tuple[DiscoveredAccount, ...]
    key_like: tuple[TargetId, ...]
    other_vaults: tuple[str, ...]
    problems: tuple[str, ...]
    keyless: tuple[Keyless, ...] = ()


@dataclass
class Discovery:
    """Reads the subscriptions and the configured vaults with the operator's permissions."""

    resources: Resources
    accounts: Accounts
    vaults: Vaults
    readers: Callable[[], Readers]

    async def discover(
        self, subscriptions: Sequence[str] = (), advance: Advance | None = None
    ) -> Discovered:
        """Discover accounts; ``advance(done, total)`` is called after each.

        Raises RotationError only if the subscriptions cannot be listed.
        """
        problems: list[str] = []
        subscriptions = subscriptions or await self.resources.subscriptions()
        visible = {
            account.id: account
            for subscription in subscriptions
            for account in await list_accounts(self.accounts, subscription, problems)
        }
        secrets = [s for vault in self.vaults.urls for s in await self._enrolled(vault, problems)]
        problems += [f"{s.target}: {s.problem}" for s in secrets if s.account is None]
        accounts = await self._classify_all(visible, by_account(secrets), advance)
        key_like = sorted(await find_key_like_secrets(self.vaults))
        vaults = await visible_vaults(self.resources, subscriptions)
        other_vaults = sorted(set(vaults) - set(self.vaults.urls))
        return Discovered(
            tuple(accounts),
            tuple(key_like),
            tuple(other_vaults),
            tuple(problems),
            await self._assess_all(visible, accounts),
        )

    async def _assess_all(
        self, visible: dict[AccountId, Account], accounts: Sequence[DiscoveredAccount]
    ) -> tuple[Keyless, ...]:
        readers = self.readers()
        found = await gather_limited(
            (
                assess(visible[one.account], [secret.target for secret in one.secrets], readers)
                for one in accounts
                if one.account in visible
            ),
            CONCURRENCY,
        )
        return tuple(one for one in found if one is not None)

    async def _classify_all(
        self,
        visible: dict[AccountId, Account],
        enrolled: dict[AccountId, list[ListedSecret]],
        advance: Advance | None,
    ) -> list[DiscoveredAccount]:
        accounts = sorted({*visible, *enrolled})
        done = 0

        async def classify_one(account: AccountId) -> DiscoveredAccount:
            nonlocal done
            secrets = await self._read_secrets(account, enrolled.get(account, []))
            done += 1
            if advance:
                advance(done, len(accounts))
            return classify(account, visible.get(account), secrets)

        return await gather_limited((classify_one(account) for account in accounts), CONCURRENCY)

    async def _enrolled(self, vault: str, problems: list[str]) -> list[ListedSecret]:
        try:
            return [s async for s in self.vaults.list_secrets(vault) if s.is_enrolled]
        except RotationError as exc:
            problems.append(str(exc))
            return []

    async def _read_secrets(
        self, account: AccountId, enrolled: list[ListedSecret]
    ) -> list[EnrolledSecret]:
        """Compare each secret's value with the keys; the values themselves are not returned."""
        if not enrolled:
            return []
        try:
            keys = await self.accounts.keys(account)
        except RotationError as exc:
            return [_unreadable(secret, str(exc)) for secret in enrolled]
        return [await self._read_secret(secret, keys) for secret in enrolled]

    async def _read_secret(self, secret: ListedSecret, keys: Keys) -> EnrolledSecret:
        try:
            target = await self.vaults.get_secret(secret.target)
        except RotationError as exc:
            return _unreadable(secret, str(exc))
        if target is None or target.value is None:
            return _unreadable(secret, "it is disabled or was deleted")
        return EnrolledSecret(secret.target, keys.slot_of(target.value), _published(secret))


def _unreadable(secret: ListedSecret, why: str) -> EnrolledSecret:
    return EnrolledSecret(secret.target, published=_published(secret), unreadable=why)


def _published(secret: ListedSecret) -> bool:
    """Return whether the secret has tags that only this service writes."""
    return bool({name.lower() for name in secret.tags} & tags.OWN)
