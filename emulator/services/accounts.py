"""Azure AI accounts and their keys: state only, no protocol."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..core import clouds
from ..core.clock import Clock
from ..core.clouds import Cloud

SLOTS = ("Key1", "Key2")
LONG_KEY_KINDS = ("openai", "aiservices")
_OPENAI_ENDPOINTS = ("openai", "aiservices")


@dataclass
class KeyLife:
    """The time in which a key works: from its propagation until its replacement takes effect."""

    account: Account
    slot: str
    works_from: datetime
    works_until: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.works_from <= now and (self.works_until is None or now < self.works_until)


@dataclass
class Account:
    """One account; ``cloud`` is the domain of its endpoints (azure.com, azure.us, azure.cn).

    ``locked`` is a read-only lock. A new key works after ``new_key_delay``, an old one until
    ``old_key_lag`` has passed; ``stale_for`` makes reads show the keys of that long ago.
    """

    subscription: str
    resource_group: str
    name: str
    kind: str
    location: str
    created: datetime
    cloud: str = "azure.com"
    custom_domain: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] | None = None
    disable_local_auth: bool | None = None
    provisioning_state: str = "Succeeded"
    public_network: bool = True
    default_action: str = "Allow"
    ip_rules: tuple[str, ...] = ()
    locked: bool = False
    rate_limited: bool = False
    new_key_delay: timedelta = timedelta()
    old_key_lag: timedelta = timedelta()
    stale_for: timedelta = timedelta()
    keys: dict[str, str] = field(default_factory=dict)
    history: list[tuple[datetime, dict[str, str]]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.CognitiveServices/accounts/{self.name}"
        )

    @property
    def endpoint(self) -> str:
        if not self.custom_domain:
            return self._shared_endpoint(clouds.of_accounts(self.cloud))
        label = "openai" if self.kind.lower() == "openai" else "cognitiveservices"
        return f"https://{self.name.lower()}.{label}.{self.cloud}/"

    def _shared_endpoint(self, cloud: Cloud) -> str:
        """Return the endpoint of an account without a custom domain: its region's, or a global one.

        All Translators have the same ("Translator: base URLs").
        """
        if self.kind.lower() == "texttranslation":
            return f"https://{cloud.translator}/"
        if self.location.lower() == "global":
            return f"https://{cloud.regional}/"
        return f"https://{self.location}.{cloud.regional}/"

    def api_endpoints(self) -> dict[str, str]:
        """Return the ``endpoints`` map of ARM."""
        if self.endpoints is not None:
            return self.endpoints
        name, kind = self.name.lower(), self.kind.lower()
        found = {}
        if kind in _OPENAI_ENDPOINTS:
            openai = f"https://{name}.openai.{self.cloud}/"
            found["OpenAI Language Model Instance API"] = openai
        if kind == "openai":
            found["Token"] = self.endpoint
        if kind == "aiservices":
            foundry = f"https://{name}.services.ai.{self.cloud}/"
            found["AI Foundry API"] = found["Azure AI Model Inference API"] = foundry
            found["FormRecognizer"] = self.endpoint
        if kind in ("speechservices", "aiservices"):
            speech = f"https://{self.location}.stt.speech.microsoft.com"
            found["Speech Services Speech to Text (Standard)"] = speech
        return found

    def shown_keys(self, now: datetime) -> dict[str, str]:
        """Return the keys as a read shows them, which may be stale."""
        shown = self.history[0][1]
        for since, keys in self.history:
            if since <= now - self.stale_for:
                shown = keys
        return shown if self.stale_for else self.keys


@dataclass
class Accounts:
    """All accounts, and every key that was ever issued."""

    clock: Clock
    changed: Callable[[str, Any], None]
    random: random.Random
    by_id: dict[str, Account] = field(default_factory=dict)
    lives: dict[str, KeyLife] = field(default_factory=dict)

    def add(self, account: Account) -> Account:
        for slot in SLOTS:
            self._issue(account, slot, timedelta())
        account.history.append((self.clock.now(), dict(account.keys)))
        self.by_id[account.id.lower()] = account
        return account

    def regenerate(self, account: Account, slot: str) -> None:
        """Replace a key; the old value stops working at once, or after the lag."""
        self.changed("account.regenerating", (account, slot))
        now = self.clock.now()
        self.lives[account.keys[slot]].works_until = now + account.old_key_lag
        self._issue(account, slot, account.new_key_delay)
        account.history.append((now, dict(account.keys)))
        self.changed("account.regenerated", (account, slot))

    def _issue(self, account: Account, slot: str, delay: timedelta) -> None:
        value = self._new_key(account.kind)
        account.keys[slot] = value
        self.lives[value] = KeyLife(account, slot, self.clock.now() + delay)

    def named(self, domain: str) -> Account | None:
        """Return the account with this custom subdomain; Azure allows one."""
        return next(
            (
                account
                for account in self.by_id.values()
                if account.custom_domain and account.name.lower() == domain
            ),
            None,
        )

    def accepted(self, value: str) -> Account | None:
        """Return the account for which a key works now, if there is one."""
        life = self.lives.get(value)
        return life.account if life and life.is_valid(self.clock.now()) else None

    def _new_key(self, kind: str) -> str:
        """Return 84 characters for the newer kinds, 32 hexadecimal digits for the classic ones."""
        if kind.lower() in LONG_KEY_KINDS:
            return base64.b64encode(self.random.randbytes(63), altchars=b"Zz").decode()
        return f"{self.random.getrandbits(128):032x}"
