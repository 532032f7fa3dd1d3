"""A sweep leaves an account at rest alone, until a listing shows a change or its turn comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotation.domain.operation import Phase
from rotation.service import sweep as sweep_module
from rotation.service.comparison import LONGEST, Checks, checks

from .product import Product, playground, product

PERIOD = timedelta(minutes=15)
LISTING = "keyvault.list_secrets"


@pytest.fixture
async def p(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """The product, as part of a fleet that is so large that it takes turns of 6 h."""

    def of_a_million(accounts: int, *more: Any) -> Checks:
        return checks(10**6, *more)

    monkeypatch.setattr(sweep_module, "checks", of_a_million)
    async with product(playground(days=89), str(tmp_path)) as made:
        await made.triggers.sweep()
        await made.run(PERIOD)
        await made.triggers.sweep()
        made.azure.calls.clear()
        yield made


async def sweep(p: Product) -> list[str]:
    """Sweep now, and return the calls other than the listing."""
    p.azure.calls.clear()
    await p.triggers.sweep()
    return [call.operation for call in p.azure.calls if call.operation != LISTING]


async def test_an_account_at_rest_is_looked_at_once_in_six_hours(p: Product) -> None:
    looks = []
    for _ in range(2 * (LONGEST // PERIOD)):
        await p.run(PERIOD)
        looks += [len(calls)] if (calls := await sweep(p)) else []
    assert len(looks) == 2


async def test_a_change_of_a_tag_is_seen_by_the_next_sweep_and_then_rests_again(
    p: Product,
) -> None:
    secret = p.azure.vault("kv-demo").secret("ai-key")
    vault = p.azure.vault("kv-demo")
    assert await sweep(p) == []
    vault.update(secret, secret.current, {"tags": {**(secret.current.tags or {}), "team": "red"}})
    assert "keyvault.get_secret" in await sweep(p)
    await p.run(PERIOD)
    await sweep(p)
    await p.run(PERIOD)
    assert await sweep(p) == []


async def test_another_version_is_seen_by_the_next_sweep(p: Product) -> None:
    p.azure.add_secret(
        "kv-demo",
        "ai-key",
        publishes=("aoai-demo", "Key2"),
        tags=p.azure.vault("kv-demo").secret("ai-key").current.tags,
    )
    assert "keyvault.get_secret" in await sweep(p)


async def test_a_secret_that_was_deleted_is_seen_by_the_next_sweep(p: Product) -> None:
    p.azure.vault("kv-demo").delete("ai-key")
    assert "keyvault.get_secret" in await sweep(p)


async def test_a_rotation_that_is_due_begins(p: Product) -> None:
    p.azure.advance(timedelta(days=60))
    assert "arm.regenerate_key" in await sweep(p)
    await p.run(timedelta(minutes=5))
    assert (await p.record()).phase is Phase.OVERLAP


async def test_an_account_whose_index_is_lost_is_visited(p: Product, tmp_path: Path) -> None:
    slug = p.account().slug
    (tmp_path / "index" / slug).unlink()
    assert "keyvault.get_secret" in await sweep(p)


async def test_other_settings_are_applied_by_the_next_sweep(p: Product) -> None:
    sweeper = p.triggers.sweeper
    sweeper.policy = replace(sweeper.policy, lead=timedelta(days=40))
    assert "keyvault.get_secret" in await sweep(p)
