"""The fleet's names and the product's settings, for both processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle

from emulator.azure import SUBSCRIPTION
from rotation.domain.ids import AccountId

VAULTS = 100
STORAGE, GROUP = "stidle", "rg-idle"


def vaults() -> list[str]:
    """Return the names of the vaults."""
    return [f"kv-idle-{number:03}" for number in range(VAULTS)]


def accounts(secrets: int) -> Iterator[tuple[AccountId, tuple[str, ...]]]:
    """Yield accounts with the vaults of their secrets: every 40th account has two secrets."""
    names, number = cycle(vaults()), 0
    while secrets > 0:
        count = min(2 if number % 40 == 0 else 1, secrets)
        account = AccountId(SUBSCRIPTION, GROUP, f"aoai-{number:06}")
        yield account, tuple(next(names) for _ in range(count))
        number, secrets = number + 1, secrets - count


def settings() -> dict[str, str]:
    """Return the product's settings."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    return {
        "ROTATION_VAULTS": ",".join(f"https://{name}.vault.azure.net" for name in vaults()),
        "ROTATION_BINDINGS": ",".join(f"{name}={scope}" for name in vaults()),
        "AzureWebJobsStorage__accountName": STORAGE,
    }


def now() -> datetime:
    """Return the time at which both clocks stand still, so that no account's turn comes."""
    return datetime.now(UTC).replace(microsecond=0)
