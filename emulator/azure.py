"""The emulated Azure: one sans-I/O core, ``handle(request) → response``, on one clock.

azure = Azure(start=datetime(2026, 1, 1, tzinfo=UTC))        # virtual time
azure.add_account("aoai-demo", kind="OpenAI")
azure.add_vault("kv-demo")
azure.add_secret("kv-demo", "ai-key", publishes=("aoai-demo", "Key1"))
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .core.identity import Principal
from .services.accounts import SLOTS, Account
from .services.eventgrid.delivery import Delivery
from .services.eventgrid.subscription import Subscription
from .services.eventgrid.system_topic import SystemTopic
from .services.keyvault.model import Secret, Version
from .services.keyvault.vault import Vault
from .services.router import Services, UnknownHost

__all__ = ["Azure", "UnknownHost", "virtual"]

SUBSCRIPTION, GROUP = "11111111-1111-1111-1111-111111111111", "rg-keys"


class Azure(Services):
    """What is built, looked at and done to it by hand."""

    def add_group(self, subscription: str = SUBSCRIPTION, group: str = GROUP) -> None:
        self.arm.subscriptions.add(subscription.lower())
        self.arm.groups.add((subscription.lower(), group.lower()))

    def add_account(
        self,
        name: str,
        kind: str = "OpenAI",
        *,
        subscription: str = SUBSCRIPTION,
        group: str = GROUP,
        location: str = "westeurope",
        **more: Any,
    ) -> Account:
        """An account with two new keys. ``more`` are members of ``Account``."""
        self.add_group(subscription, group)
        made = self.clock.now()
        return self.accounts.add(Account(subscription, group, name, kind, location, made, **more))

    def add_vault(
        self, name: str, *, subscription: str = SUBSCRIPTION, group: str = GROUP, **more: Any
    ) -> Vault:
        """An empty vault. ``more`` are members of ``Vault``."""
        self.add_group(subscription, group)
        more.setdefault("backups", self.keyvault.backups)
        vault = Vault(name, subscription, group, self.clock, self.random, self.changed, **more)
        self.keyvault.vaults[vault.host] = vault
        return vault

    def add_secret(
        self,
        vault: str,
        name: str,
        *,
        value: str | None = None,
        publishes: tuple[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        expires: datetime | None = None,
        content_type: str | None = None,
        enabled: bool = True,
    ) -> Version:
        """A new version; ``publishes`` names an account and a slot whose key is the value."""
        found, now = self.vault(vault), self.clock.now()
        if publishes is not None:
            value = self.account(publishes[0]).keys[publishes[1]]
        version = Version(
            id=found.new_version_id(),
            value=value or "",
            created=now,
            updated=now,
            enabled=enabled,
            exp=int(expires.timestamp()) if expires else None,
            content_type=content_type,
            tags=dict(tags) if tags is not None else None,
        )
        return found.set(name, version)[1]

    def add_principal(self, name: str, **more: Any) -> Principal:
        """A principal without rights; the first one is the system-assigned identity."""
        principal = Principal(name, **more)
        self.identity.principals.append(principal)
        return principal

    def subscribe(self, vault: str, url: str, **more: Any) -> Subscription:
        """Deliver a vault's events to a webhook."""
        return self.vault(vault).topic.subscribe(Subscription(url, **more))

    def vault(self, name: str) -> Vault:
        folded = name.lower()
        for vault in self.keyvault.vaults.values():
            if folded in (vault.name.lower(), vault.url):
                return vault
        raise KeyError(f"there is no vault {name!r}")

    def account(self, name: str) -> Account:
        """By name or by ARM id."""
        for account in self.accounts.by_id.values():
            if name.lower() in (account.name.lower(), account.id.lower()):
                return account
        raise KeyError(f"there is no account {name!r}")

    def secret(self, vault: str, name: str) -> Secret:
        return self.vault(vault).secret(name)

    def regenerate_by_hand(self, account: str, slot: str) -> None:
        """Somebody presses the button in the portal."""
        if slot not in SLOTS:
            raise ValueError(f"slot {slot!r} is neither Key1 nor Key2")
        self.accounts.regenerate(self.account(account), slot)

    def issued_keys(self) -> frozenset[str]:
        """Every key that ever was."""
        return frozenset(self.accounts.lives)

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self.clock.advance(delta)

    def due_deliveries(self) -> list[tuple[SystemTopic, Delivery]]:
        """Events to be sent now, each with the topic to report to."""
        self.clock.run_due()
        topics = [vault.topic for vault in self.keyvault.vaults.values()]
        return [(topic, delivery) for topic in topics for delivery in topic.due()]


def virtual(start: datetime = datetime(2026, 11, 23, tzinfo=UTC), seed: int | None = 0) -> Azure:
    """An Azure in virtual time, the same for the same seed."""
    return Azure(start, seed)
