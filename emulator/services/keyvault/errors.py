"""Key Vault's errors, each as Azure words it."""

from __future__ import annotations


class KeyVaultError(Exception):
    """An error response: status, code and inner code."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner = status, code, message, inner


def bad_parameter(message: str) -> KeyVaultError:
    return KeyVaultError(400, "BadParameter", message)


def forbidden(message: str, inner: str | None = None) -> KeyVaultError:
    return KeyVaultError(403, "Forbidden", message, inner)


def conflict(message: str, inner: str | None = None) -> KeyVaultError:
    return KeyVaultError(409, "Conflict", message, inner)


def not_found(name: str, state: str = "") -> KeyVaultError:
    """Return the error for a missing secret or version; ``state`` is ``"deleted "`` or empty."""
    text = f"A {state}secret with (name/id) {name} was not found in this key vault."
    return KeyVaultError(404, "SecretNotFound", text)


def being_deleted() -> KeyVaultError:
    return conflict("Secret is currently being deleted.", "ObjectIsBeingDeleted")


def deleted_but_recoverable(name: str) -> KeyVaultError:
    text = (
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot "
        "be reused; in this state, the secret can only be recovered or purged."
    )
    return conflict(text, "ObjectIsDeletedButRecoverable")
