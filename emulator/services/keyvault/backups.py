"""Backups of secrets, which stay in the emulator: a client gets an opaque text only."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import bad_parameter
from .model import Secret

MAX_VERSIONS = 500


@dataclass
class Backups:
    """Backups by their opaque text; each belongs to a subscription."""

    by_text: dict[str, tuple[str, Secret]] = field(default_factory=dict)

    def add(self, text: str, subscription: str, secret: Secret) -> None:
        """Keep a copy of all versions. Raises KeyVaultError if there are too many."""
        if len(secret.versions) > MAX_VERSIONS:
            limit = f"A secret with more than {MAX_VERSIONS} versions cannot be backed up."
            raise bad_parameter(limit)
        self.by_text[text] = (subscription.lower(), secret.copy())

    def find(self, text: str, subscription: str) -> Secret:
        """Return a copy. Raises KeyVaultError unless the subscription has this backup."""
        owner, secret = self.by_text.get(text, ("", None))
        if secret is None or owner != subscription.lower():
            raise bad_parameter("The backup is not valid.")
        return secret.copy()
