"""The emulated Azure that the documentation shows: three managed accounts and two others."""

from __future__ import annotations

from datetime import timedelta

from emulator.azure import Azure

VAULT = "kv-prod"
_MANAGED = {"chat-weu": "OpenAI", "speech-weu": "SpeechServices", "vision-weu": "ComputerVision"}


def estate() -> Azure:
    """Return an Azure with one identity, which the function app and the operator share."""
    azure = Azure()
    vault = azure.add_vault(VAULT)
    azure.subscribe(
        VAULT, "https://my-rotation.azurewebsites.net/events", types=("SecretNearExpiry",)
    )
    principal = azure.add_principal("rotation").assign("Secret publisher", vault.id)
    principal.assign("Key rotator", "/").assign("Reader", "/")
    for days, (name, kind) in zip((71, 58, 44), _MANAGED.items(), strict=True):
        account = azure.add_account(name, kind, group="rg-ai")
        tags = {"ProviderAddress": account.id, "ValidityPeriodDays": "90", "CredentialId": "Key1"}
        expires = azure.clock.now() + timedelta(days=days)
        azure.add_secret(VAULT, f"{name}-key", publishes=(name, "Key1"), tags=tags, expires=expires)
    azure.add_account("translator-new", "TextTranslation", group="rg-ai")
    azure.add_account("agents-entra", "AIServices", group="rg-ai", disable_local_auth=True)
    return azure
