"""The emulated Azure: ``handle(request) → response``, without I/O, on one clock.

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
from .services.storage.routes import StorageAccount

__all__ = ["Azure", "UnknownHost", "virtual"]

SUBSCRIPTION, GROUP = "11111111-1111-1111-1111-111111111111", "rg-keys"

LOCKS = ("ReadOnly", "CanNotDelete")


class Azure(Services):
    """Builds, inspects and changes the emulated Azure."""

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
        """Add an account with two new keys; ``more`` are fields of ``Account``."""
        self.add_group(subscription, group)
        made = self.clock.now()
        return self.accounts.add(Account(subscription, group, name, kind, location, made, **more))

    def add_vault(
        self, name: str, *, subscription: str = SUBSCRIPTION, group: str = GROUP, **more: Any
    ) -> Vault:
        """Add an empty vault; ``more`` are fields of ``Vault``."""
        self.add_group(subscription, group)
        more.setdefault("backups", self.keyvault.backups)
        vault = Vault(name, subscription, group, self.clock, self.random, self.changed, **more)
        return self.keyvault.add(vault)

    def add_storage(
        self, name: str, *, subscription: str = SUBSCRIPTION, group: str = GROUP
    ) -> StorageAccount:
        """Add a storage account without containers and queues; shared keys are not permitted."""
        self.add_group(subscription, group)
        return self.storage.add(name, f"/subscriptions/{subscription}/resourceGroups/{group}")

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
        """Add a version; its value is the key that ``publishes`` names, an account and a slot."""
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
        """Add a principal without rights; the first one is the system-assigned identity."""
        principal = Principal(name, **more)
        self.identity.principals.append(principal)
        return principal

    def subscribe(self, vault: str, url: str, **more: Any) -> Subscription:
        """Deliver a vault's events to a webhook."""
        return self.vault(vault).topic.subscribe(Subscription(url, **more))

    def lock(self, scope: str, level: str = "ReadOnly") -> None:
        """Put a lock on an account, a resource group or a subscription, by ARM id.

        ``level`` is ReadOnly, which forbids every POST too, or CanNotDelete, which forbids
        nothing here.
        """
        if level not in LOCKS:
            raise ValueError(f"level {level!r} is not one of {', '.join(LOCKS)}")
        if level == "ReadOnly":
            self.arm.locks.add(scope)

    def vault(self, name: str) -> Vault:
        """Return a vault by its name or its URL."""
        folded = name.lower()
        for vault in self.keyvault.vaults.values():
            if folded in (vault.name.lower(), vault.url):
                return vault
        raise KeyError(f"there is no vault {name!r}")

    def account(self, name: str) -> Account:
        """Return an account by its name or its ARM id."""
        folded = name.lower()
        if folded in self.accounts.by_id:
            return self.accounts.by_id[folded]
        for account in self.accounts.by_id.values():
            if folded == account.name.lower():
                return account
        raise KeyError(f"there is no account {name!r}")

    def secret(self, vault: str, name: str) -> Secret:
        return self.vault(vault).secret(name)

    def regenerate_by_hand(self, account: str, slot: str) -> None:
        """Regenerate a key, as a user would in the portal."""
        if slot not in SLOTS:
            raise ValueError(f"slot {slot!r} is neither Key1 nor Key2")
        self.accounts.regenerate(self.account(account), slot)

    def settings(self) -> dict[str, str]:
        """Return the service's settings for this Azure: each vault is bound to all accounts."""
        vaults = list(self.keyvault.vaults.values())
        subscriptions = sorted({account.subscription for account in self.accounts.by_id.values()})
        bound = [f"{v.name}=/subscriptions/{s}" for v in vaults for s in subscriptions]
        urls = ",".join(vault.url for vault in vaults)
        return {"ROTATION_VAULTS": urls, "ROTATION_BINDINGS": ",".join(bound)}

    def issued_keys(self) -> frozenset[str]:
        """Return every key that was ever issued."""
        return frozenset(self.accounts.lives)

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self.clock.advance(delta)

    def due_deliveries(self) -> list[tuple[SystemTopic, Delivery]]:
        """Return the deliveries to attempt now, each with the topic to report the result to."""
        self.clock.run_due()
        topics = [vault.topic for vault in self.keyvault.vaults.values()]
        return [(topic, delivery) for topic in topics for delivery in topic.due()]


def virtual(start: datetime = datetime(2026, 11, 23, tzinfo=UTC), seed: int | None = 0) -> Azure:
    """Return an Azure in virtual time, which is the same for the same seed."""
    return Azure(start, seed)
