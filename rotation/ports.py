"""What the core needs from the outside: what each call returns and raises, nothing else.

All raise only the errors of ``errors.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from .domain.account import Account
from .domain.document import Document
from .domain.ids import AccountId, TargetId
from .domain.keys import Key, Keys, Slot
from .domain.operation import PublishedVersion
from .domain.permissions import Grant, Identity, VaultInfo
from .domain.probing import ProbeVerdict
from .domain.targets import ListedSecret, SecretRead, Target, Version, VersionInfo


class Accounts(Protocol):
    """Azure AI accounts, as ARM has them."""

    async def get(self, account: AccountId) -> Account:
        """Kind, endpoints and state. Raises Permanent where there is no such account."""

    async def list(self, subscription: str) -> Sequence[Account]:
        """Those of the subscription that the service may read."""

    async def keys(self, account: AccountId) -> Keys:
        """Both keys, read now."""

    async def regenerate(self, account: AccountId, slot: Slot) -> None:
        """Irreversible; sent once. Transient and Permanent mean that nothing happened."""


class Vaults(Protocol):
    """Secrets of the configured vaults (``urls``)."""

    urls: tuple[str, ...]

    def list_secrets(self, vault: str) -> AsyncIterator[ListedSecret]:
        """List every secret of the vault, enrolled or not."""

    async def set_tags(self, target: TargetId, version: str, tags: Mapping[str, str]) -> None:
        """Replace all tags of one version. Raises Permanent where there is none."""

    async def get_target(self, target: TargetId) -> Target | None:
        """The latest version with its value; None where it is gone or no longer enrolled."""

    async def read_versions(self, target: TargetId) -> tuple[Version, ...]:
        """All versions, in no order; those enabled with their values."""

    async def list_versions(self, target: TargetId) -> tuple[VersionInfo, ...]:
        """All versions without their values, in no order."""

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> PublishedVersion:
        """A new version; content type and the enabled flag are kept."""

    async def disable(self, target: TargetId, version: str) -> None:
        """Switch one version off; one that is gone is no error."""


class Probe(Protocol):
    """Proof by use on the account's data plane. Never raises: what fails is inconclusive."""

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        """What one call with this key proves."""

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        """The negative control: the same call with a key that cannot be right."""


class Evidence(Protocol):
    """Who has read what, from the vaults' audit logs (minutes late)."""

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[SecretRead]:
        """Successful reads of the secret's value since then."""


class Store(Protocol):
    """Named documents with compare-and-swap, and leases that save work (never safety).

    Names are ``[a-z0-9-]+``.
    """

    async def read(self, name: str) -> Document | None:
        """The document, or None where there is none."""

    async def write(self, name: str, body: bytes, etag: str | None) -> str:
        """Write if unchanged since ``etag`` (None: if absent) and return the new etag.

        Raises Conflict if it changed. A write whose answer was lost is reconciled here.
        """

    def stamps(self) -> AsyncIterator[tuple[str, str]]:
        """All names, in no particular order, each with what changes whenever its document does."""

    def lease(self, name: str, duration: timedelta) -> AbstractAsyncContextManager[bool]:
        """Try to be the only worker on ``name``; yields whether that succeeded; never waits.

        ``duration`` is 15 s to 60 s, as with blob leases; released on exit.
        """


class Resources(Protocol):
    """What Resource Manager says of rights and surroundings. Reads only."""

    async def whoami(self) -> Identity:
        """Who the service is to Azure."""

    async def grants(self, scope: str) -> Sequence[Grant]:
        """What it may do at an ARM id."""

    async def subscriptions(self) -> Sequence[str]:
        """The subscriptions that it can see."""

    async def vaults(self, subscription: str) -> Mapping[str, VaultInfo]:
        """The vaults that it can see, by URL."""

    async def event_types(self, vault: str) -> Sequence[set[str]]:
        """What each event subscription on a vault takes; empty for all."""

    async def longest_validity(self, vault: str) -> int | None:
        """The fewest days that a denying policy allows a secret to be valid."""


class Queue(Protocol):
    """Durable waiting: messages that become visible after a delay, delivered at least once."""

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        """Enqueue; ``delay`` is cut to 7 days less a minute."""


class Notifier(Protocol):
    """Tells the outside what happened."""

    async def send(self, event: Mapping[str, Any]) -> None:
        """Publish one CloudEvent, given as ``id``, ``type``, ``subject``, ``time`` and ``data``."""
