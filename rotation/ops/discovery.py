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
from .pace import Pace
from .survey import by_account, key_like, visible_vaults

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
    pace: Pace

    async def discover(
        self, subscriptions: Sequence[str] = (), advance: Advance | None = None
    ) -> Discovered:
        """Discover accounts; ``advance(done, total)`` is called after each.

        Raises RotationError only if the subscriptions cannot be listed.
        """
        problems: list[str] = []
        subscriptions = subscriptions or await self.resources.subscriptions()
        visible = await self._visible(subscriptions, problems)
        listed = await self._listed(problems)
        secrets = [secret for secret in listed if secret.is_enrolled]
        problems += [f"{s.target}: {s.problem}" for s in secrets if s.account is None]
        accounts = await self._classify_all(visible, by_account(secrets), advance)
        named_like_keys = sorted(key_like(listed))
        vaults = await visible_vaults(self.resources, subscriptions)
        other_vaults = sorted(set(vaults) - set(self.vaults.urls))
        return Discovered(
            tuple(accounts),
            tuple(named_like_keys),
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

    async def _visible(
        self, subscriptions: Sequence[str], problems: list[str]
    ) -> dict[AccountId, Account]:
        """Return the accounts of all subscriptions that can be listed."""

        async def list_one(subscription: str) -> Sequence[Account]:
            try:
                return await self.pace.read(lambda: self.accounts.list(subscription))
            except RotationError as exc:
                problems.append(str(exc))
                return ()

        found = await gather_limited(map(list_one, subscriptions), CONCURRENCY)
        return {account.id: account for accounts in found for account in accounts}

    async def _listed(self, problems: list[str]) -> list[ListedSecret]:
        """Return the secrets of all vaults that can be listed."""

        async def list_one(vault: str) -> list[ListedSecret]:
            async def read() -> list[ListedSecret]:
                return [secret async for secret in self.vaults.list_secrets(vault)]

            try:
                return await self.pace.read(read)
            except RotationError as exc:
                problems.append(str(exc))
                return []

        found = await gather_limited(map(list_one, self.vaults.urls), CONCURRENCY)
        return [secret for secrets in found for secret in secrets]

    async def _read_secrets(
        self, account: AccountId, enrolled: list[ListedSecret]
    ) -> list[EnrolledSecret]:
        """Compare each secret's value with the keys; the values themselves are not returned."""
        if not enrolled:
            return []
        try:
            keys = await self.pace.read(lambda: self.accounts.keys(account))
        except RotationError as exc:
            return [_unreadable(secret, str(exc)) for secret in enrolled]
        return [await self._read_secret(secret, keys) for secret in enrolled]

    async def _read_secret(self, secret: ListedSecret, keys: Keys) -> EnrolledSecret:
        try:
            target = await self.pace.read(lambda: self.vaults.get_secret(secret.target))
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
