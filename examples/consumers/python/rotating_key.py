"""A key from Key Vault that follows its rotation. Needs azure-keyvault-secrets only."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Any

from azure.core.exceptions import AzureError
from azure.keyvault.secrets import SecretClient

log = logging.getLogger(__name__)
# A failed read is repeated here, not by the SDK: callers wait for it.
ONCE: dict[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 10}


class RotatingKey:
    """The latest version of a secret, read every ``every`` seconds and after a 401.

    Create one for the life of the app, after a fork. Raises AzureError if the first read fails.
    """

    def __init__(self, vault: SecretClient, name: str, every: float = 900) -> None:
        self._vault, self._name, self._every = vault, name, every
        self._lock, self._pause, self._not_before = threading.Lock(), 1.0, 0.0
        self.secret = vault.get_secret(name)  # without a version: the latest one
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def value(self) -> str:
        return self.secret.value or ""

    @property
    def version(self) -> str:
        return self.secret.properties.version or ""

    def replace(self, rejected: str) -> str:
        """Return the key to use after a 401. Of many callers one reads, and not too often."""
        with self._lock:
            if self.value == rejected and time.monotonic() >= self._not_before:
                self._read()
                self._pause = min(2 * self._pause, 30.0) if self.value == rejected else 1.0
                self._not_before = time.monotonic() + self._pause
        return self.value

    def _read(self) -> bool:
        """Read the latest version. If that fails, keep the key and return False."""
        try:
            latest = self._vault.get_secret(self._name, **ONCE)
        except AzureError as exc:
            log.warning("%s cannot be read: %s", self._name, type(exc).__name__)
            return False
        if latest.properties.version != self.version:
            log.info("%s: version %s is in use", self._name, latest.properties.version)
        self.secret = latest
        return True

    def _follow(self) -> None:
        wait = self._every
        while True:
            time.sleep(wait * random.uniform(0.5, 1.0))  # instances do not read all at once
            with self._lock:
                wait = self._every if self._read() else min(self._every, 30.0)
