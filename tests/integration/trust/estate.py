"""Two teams with a vault each, served by one service; and what one can do to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from emulator.azure import Azure, virtual
from tests.integration.wire.product import Product, product

OWNERS, NEIGHBOURS = "kv-demo", "kv-team-b"
VAULTS = f"https://{OWNERS}.vault.azure.net,https://{NEIGHBOURS}.vault.azure.net"
DAY = timedelta(days=1)


def estate(*, lives: timedelta = timedelta(days=10)) -> Azure:
    """``aoai-demo`` in the owners' vault, ``acct-b`` in the neighbours'."""
    azure = virtual()
    azure.topics.add("topic")
    identity = azure.add_principal("rotation")
    identity.assign("EventGrid Data Sender", azure.topics.id_of("topic"))
    for vault, account in ((OWNERS, "aoai-demo"), (NEIGHBOURS, "acct-b")):
        identity.assign("Secret publisher", azure.add_vault(vault).id)
        made = azure.add_account(account)
        identity.assign("Key rotator", made.id)
        azure.add_secret(
            vault,
            f"{account}-key",
            publishes=(account, "Key1"),
            tags=tags(azure, account),
            expires=azure.clock.now() + lives,
        )
    return azure


def tags(azure: Azure, account: str, **more: str) -> dict[str, str]:
    return {"ProviderAddress": azure.account(account).id, "ValidityPeriodDays": "90"} | more


def bindings(azure: Azure, **more: str) -> dict[str, str]:
    """Each vault bound to its own team's account."""
    own = f"{OWNERS}={azure.account('aoai-demo').id},{NEIGHBOURS}={azure.account('acct-b').id}"
    return {"ROTATION_VAULTS": VAULTS, "ROTATION_BINDINGS": own, "ROTATION_SPREAD": "PT0S"} | more


@asynccontextmanager
async def serving(azure: Azure, directory: Path, **more: str) -> AsyncIterator[Product]:
    async with product(azure, str(directory), **bindings(azure) | more) as p:
        yield p


async def live(p: Product, span: timedelta, *, every: timedelta = timedelta(hours=1)) -> None:
    """Sweep every ``every`` and work through the queue for ``span``."""
    for _ in range(span // every):
        await p.triggers.sweep()
        await p.run(every)


def put(
    azure: Azure, name: str, value: str, with_tags: Mapping[str, str], vault: str = NEIGHBOURS
) -> None:
    """Write a version into the neighbours' vault."""
    azure.add_secret(vault, name, value=value, tags=with_tags, expires=azure.clock.now() + 80 * DAY)


def values(azure: Azure, vault: str, name: str) -> list[str]:
    return [version.value for version in azure.secret(vault, name).versions]


def keys_of(azure: Azure, account: str) -> set[str]:
    """Every key that the account ever had."""
    return {key for key, life in azure.accounts.lives.items() if life.account.name == account}


def written_by_the_service(directory: Path) -> str:
    """Everything in the journal."""
    return "".join(path.read_text() for path in directory.rglob("*") if path.is_file())
