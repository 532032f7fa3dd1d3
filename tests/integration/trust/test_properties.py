"""Any content of a neighbour's vault: no error, and the same rows for everybody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulator.azure import Azure
from rotation.domain import tags as names
from tests.integration.wire.api import Api
from tests.integration.wire.product import Product

from .estate import NEIGHBOURS, OWNERS, estate, live, put, serving, tags

READS = ("list_secrets", "plan", "doctor", "list_rotations")

_ODD = ("", " ", "0" * 200, "9" * 200, "P999999999D", "PT-1S", "Key3", "ValidityPeriodDays", "\x00")
_ACCOUNTS = ("aoai-demo", "acct-b", "nobody")
VALUES = st.sampled_from(_ODD) | st.text(max_size=40)
TAGS = st.dictionaries(
    st.sampled_from([*names.READ[1:], *names.WRITTEN, " rotationOVERLAP "]) | st.text(max_size=20),
    VALUES | st.none(),
    max_size=8,
)
DATES = st.none() | st.integers(-(10**18), 10**18) | st.integers(0, 4 * 10**9)
SECRETS = st.fixed_dictionaries(
    {
        "account": st.sampled_from(_ACCOUNTS) | VALUES,
        "tags": TAGS,
        "value": VALUES | st.just("d" * 32),
        "exp": DATES,
        "enabled": st.booleans(),
        "shows": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SECRETS, min_size=1, max_size=4))
@example([])
def test_anything_that_a_neighbour_writes_is_seen_by_nobody_else(found: list[Any]) -> None:
    assert asyncio.run(_lived(found)) == _undisturbed()


@cache
def _undisturbed() -> dict[str, Any]:
    return asyncio.run(_lived([]))


async def _lived(secrets: list[dict[str, Any]]) -> dict[str, Any]:
    """Live two hours beside these secrets. Return the owners' view of their secret."""
    azure = estate()
    azure.exchanges.clear()  # the published contract excludes what some vaults contain
    for number, secret in enumerate(secrets):
        _write(azure, f"hostile-{number}", secret)
    with TemporaryDirectory() as directory:
        async with serving(azure, Path(directory) / "journal") as p:
            await live(p, timedelta(hours=1))
            before = await _rows(p, Path(directory))
            await _emergency(p, Path(directory), azure)
            await live(p, timedelta(hours=1))
            after = await _rows(p, Path(directory))
    return {"before": before, "after": after}


def _write(azure: Azure, name: str, secret: dict[str, Any]) -> None:
    account = secret["account"]
    known = account in ("aoai-demo", "acct-b")
    address = azure.account(account).id if known else account
    shown = azure.account("acct-b").keys["Key1"]
    value = shown if secret["shows"] and account == "acct-b" else secret["value"]
    put(azure, name, value, {**tags(azure, "acct-b"), "ProviderAddress": address})
    version = azure.secret(NEIGHBOURS, name).current
    version.tags = {**(version.tags or {}), **secret["tags"]}
    version.exp, version.enabled = secret["exp"], secret["enabled"]


async def _rows(p: Product, directory: Path) -> dict[str, Any]:
    """Return the owners' row; no read of the API may fail."""
    api = Api(p, directory / "answers.txt")
    found = {}
    for name in READS:
        status, found[name] = await api.call(name)
        assert status == 200, (name, found[name])
    status, answer = await api.post(all=True, reason="a look", dry_run=True)
    assert status == 200, answer
    (row,) = [row for row in found["list_secrets"]["secrets"] if OWNERS in row["vault"]]
    return {name: row[name] for name in ("secret", "state", "slot", "phase", "why", "problems")}


async def _emergency(p: Product, directory: Path, azure: Azure) -> None:
    api = Api(p, directory / "answers.txt")
    account = azure.account("acct-b").id
    status, answer = await api.post(account=account, leaked="key1", reason="a test")
    assert status < 500, answer
    await p.run(timedelta(minutes=30))
