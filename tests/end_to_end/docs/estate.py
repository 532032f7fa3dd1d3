"""The emulated Azure of the documents' examples, under the names that they use."""

from __future__ import annotations

from emulator.azure import Azure


def estate() -> Azure:
    """Return an Azure with one enrolled account and one that is not enrolled."""
    azure = Azure()
    azure.add_account("my-ai")
    azure.add_account("my-account")
    vault = azure.add_vault("my-vault")
    principal = azure.add_principal("rotation").assign("Secret publisher", vault.id)
    principal.assign("Key rotator", "/").assign("Reader", "/")
    tags = {"ProviderAddress": azure.account("my-ai").id, "ValidityPeriodDays": "90"}
    azure.add_secret("my-vault", "my-ai-key", publishes=("my-ai", "Key1"), tags=tags)
    return azure
