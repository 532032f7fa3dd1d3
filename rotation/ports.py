"""Protocols for everything outside the core. They raise only the errors of ``domain.errors``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from .domain.account import Account
from .domain.consumers import Consumer
from .domain.document import Document, Entry
from .domain.ids import AccountId, TargetId
from .domain.keys import Key, Keys, Slot
from .domain.operation import PublishedVersion
from .domain.permissions import Grant, Identity, VaultInfo
from .domain.policies import SecretRule
from .domain.probing import ProbeVerdict
from .domain.targets import ListedSecret, SecretRead, SecretSnapshot, Target, Version, VersionInfo


class Accounts(Protocol):
    """Azure AI accounts in ARM."""

    async def get(self, account: AccountId) -> Account:
        """Return kind, endpoints and state. Raises Permanent if the account does not exist."""

    async def list(self, subscription: str) -> Sequence[Account]:
        """List the subscription's accounts that the service may read."""

    async def keys(self, account: AccountId) -> Keys:
        """Read both keys."""

    async def regenerate(self, account: AccountId, slot: Slot) -> Keys | None:
        """Regenerate a key; sent once. Transient and Permanent mean that nothing happened.

        Return both keys as the answer has them, or None if it has not.
        """


class Vaults(Protocol):
    """Secrets of the configured vaults (``urls``)."""

    urls: tuple[str, ...]

    def list_secrets(self, vault: str) -> AsyncIterator[ListedSecret]:
        """List every secret of the vault, enrolled or not, disabled or not."""

    async def set_tags(self, target: TargetId, version: str, tags: Mapping[str, str]) -> None:
        """Replace all tags of one version. Raises Permanent if it does not exist."""

    async def get_secret(self, target: TargetId) -> SecretSnapshot | None:
        """Return the latest version of any secret; None if the vault says there is none.

        Its value is the key inside; that of a version without our tags is the whole text.
        """

    async def read_versions(
        self,
        target: TargetId,
        known: Mapping[str, Key] | None = None,
        listed: tuple[VersionInfo, ...] | None = None,
    ) -> tuple[Version, ...]:
        """Return all versions in no order; the enabled ones have values.

        ``known`` are the keys in versions that were just read, which are not read again. ``listed``
        are the versions if they were just listed.
        """

    async def list_versions(self, target: TargetId) -> tuple[VersionInfo, ...]:
        """Return all versions in no order, without values."""

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> PublishedVersion:
        """Create a new version; content type and the enabled flag are kept.

        ``key`` is the whole value, in the target's format.
        """

    async def disable(self, target: TargetId, version: str) -> None:
        """Disable one version; one that is gone is not an error."""


class Probe(Protocol):
    """Tries keys on the account's data plane. Never raises: a failure is inconclusive."""

    async def try_key(self, account: Account, key: Key) -> ProbeVerdict:
        """Try this key."""

    async def try_random(self, account: Account, like: Key) -> ProbeVerdict:
        """Try a random key, which must be refused: the negative control."""


class Evidence(Protocol):
    """Reads of secrets, from the vaults' audit logs (minutes late)."""

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[SecretRead]:
        """Return successful reads of the secret's value since then."""


class Health(Protocol):
    """Consumers that say which key they use."""

    async def ask(self, consumer: Consumer, secret: str, nonce: str) -> Mapping[str, object]:
        """Return the JSON object of a consumer's answer; raises Transient without a usable one."""


class Refresher(Protocol):
    """Apps in Resource Manager that read secrets when they start or when they are told to."""

    async def refresh(self, consumer: Consumer) -> None:
        """Let a consumer's app read its secrets again."""


class Store(Protocol):
    """Named documents with compare-and-swap, and leases that save work (never safety).

    Names are ``[a-z0-9-]+``.
    """

    async def read(self, name: str) -> Document | None:
        """Return the document, or None if it does not exist."""

    async def write(self, name: str, body: bytes, etag: str | None, index: str = "") -> str:
        """Write if unchanged since ``etag`` (None: if absent) and return the new etag.

        ``index`` is stored with the document, for listings: printable ASCII, at most 1 KiB.

        Raises Conflict if it changed. A write without a response is resolved by the store.
        """

    def stamps(self, prefix: str = "") -> AsyncIterator[tuple[str, str]]:
        """List all names that begin with ``prefix``, in no order.

        Each comes with a stamp that changes with its document.
        """

    def entries(self, prefix: str = "") -> AsyncIterator[Entry]:
        """List the same, with the index of each document; empty if it has none."""

    def lease(self, name: str, duration: timedelta) -> AbstractAsyncContextManager[bool]:
        """Try to be the only worker on ``name``; yields whether that succeeded; never waits.

        ``duration`` is 15 s to 60 s, as with blob leases; released on exit.
        """


class Resources(Protocol):
    """Permissions and resources in Resource Manager; read-only."""

    async def whoami(self) -> Identity:
        """Return the service's own identity."""

    async def grants(self, scope: str) -> Sequence[Grant]:
        """Return the identity's grants at an ARM id."""

    async def subscriptions(self) -> Sequence[str]:
        """Return the visible subscriptions."""

    async def vaults(self, subscription: str) -> Mapping[str, VaultInfo]:
        """Return the visible vaults by URL."""

    async def event_types(self, vault: str) -> Sequence[set[str]]:
        """Return the event types of each event subscription on a vault; empty means all."""

    async def secret_rules(self, vault: str) -> Sequence[SecretRule]:
        """Return what Azure Policy denies for the secrets of a vault, an ARM id."""


class Limits(Protocol):
    """Learns how near a place is to Azure's limits: a subscription's id or a vault's URL."""

    def left(self, place: str, writes: int, now: datetime) -> None:
        """Note that Resource Manager has so many writes left for a subscription."""

    def refused(self, place: str, asked: timedelta | None, now: datetime) -> None:
        """Note an answer 429, which may ask for a pause."""


class Queue(Protocol):
    """A queue with delayed messages, delivered at least once."""

    async def put(self, message: str, delay: timedelta = timedelta()) -> None:
        """Enqueue; ``delay`` is cut to 7 days less a minute."""


class Notifier(Protocol):
    """Publishes notifications."""

    async def send(self, event: Mapping[str, Any]) -> None:
        """Publish one CloudEvent, given as ``id``, ``type``, ``subject``, ``time`` and ``data``."""
