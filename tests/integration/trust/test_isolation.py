"""A fault or a hand on one account, vault, secret or document touches no other account."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from tests.integration.wire.api import Api
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values

READS = ("list_secrets", "plan", "doctor", "list_rotations")


async def answers(p: Product, tmp_path: Path) -> dict[str, Any]:
    """The answers of the API's reads, and of a dry run for everything; none may be an error."""
    api = Api(p, tmp_path / "answers.txt")
    found = {}
    for name in READS:
        status, found[name] = await api.call(name)
        assert status == 200, (name, found[name])
    status, found["dry run"] = await api.post(all=True, reason="a look", dry_run=True)
    assert status == 200, found["dry run"]
    return found


def row(found: dict[str, Any], secret: str) -> dict[str, Any]:
    """The row of a secret in the fleet's overview."""
    (one,) = [row for row in found["list_secrets"]["secrets"] if row["secret"] == secret]
    return dict(one)


def beyond_the_contract(azure: Azure) -> Azure:
    """Let it answer what the published contract excludes, and real services still do."""
    azure.exchanges.clear()
    return azure


def is_rotated(azure: Azure) -> bool:
    """Return whether the owners' own rotation went on."""
    return len(values(azure, OWNERS, "aoai-demo-key")) == 2


# Values that a listing or a secret may contain.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ValidityPeriodDays", "0000019999999999"),
        ("RotationOverlap", "P999999999D"),
        ("RotationOverlap", "PT" + "9" * 250 + "S"),
        ("RotationMinimumInterval", "P999999999D"),
        ("RotationMinimumInterval", "P3651D"),
        ("RotationWindow", "* 01:00-02:00 ../../../etc/passwd"),
        ("RotationPaused", "\ud800"),
        (" RotationOverlap ", ""),
        ("", "blank"),
    ],
)
async def test_a_neighbours_tag_is_that_secrets_own_problem(
    tmp_path: Path, name: str, text: str
) -> None:
    azure = estate()
    neighbour = azure.account("acct-b").keys["Key1"]
    put(azure, "acct-b-key", neighbour, tags(azure, "acct-b") | {name: text})
    async with serving(azure, tmp_path / "journal") as p:
        await live(p, DAY)
        await answers(p, tmp_path)
    assert is_rotated(azure)


@pytest.mark.parametrize("moment", [253402300800 + 1, 10**17, -1, -(10**11), 0])
async def test_dates_outside_of_the_calendar_stop_no_sweep(tmp_path: Path, moment: int) -> None:
    """The SDK returns a number for a date after the year 9999, and real vaults have such dates."""
    azure = beyond_the_contract(estate())
    azure.secret(NEIGHBOURS, "acct-b-key").current.exp = moment
    put(azure, "unmanaged", "x", {})
    azure.secret(NEIGHBOURS, "unmanaged").current.exp = moment
    async with serving(azure, tmp_path / "journal") as p:
        swept = await p.triggers.sweep()
        await live(p, DAY)
        found = await answers(p, tmp_path)
    assert swept.stopped == ""
    assert is_rotated(azure)
    assert row(found, "aoai-demo-key")["state"] == "overlap"


async def test_null_tags_and_a_missing_date_stop_no_sweep(tmp_path: Path) -> None:
    azure = beyond_the_contract(estate())
    latest = azure.secret(NEIGHBOURS, "acct-b-key").current
    latest.tags = {**(latest.tags or {}), "RotationPaused": None, "other": None}  # type: ignore[dict-item]
    async with serving(azure, tmp_path / "journal") as p:
        await live(p, DAY)
        await answers(p, tmp_path)
    assert is_rotated(azure)


@pytest.mark.parametrize(
    "address",
    [
        "/subscriptions/../resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/one",
        "/subscriptions/1/resourceGroups/../providers/Microsoft.CognitiveServices/accounts/one",
        "/subscriptions/1/resourceGroups/r\ng/providers/Microsoft.CognitiveServices/accounts/one",
        "/subscriptions/1\t/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/one",
        "/subscriptions/1/resourceGroups/r?g/providers/Microsoft.CognitiveServices/accounts/one",
        "/subscriptions/1/resourceGroups/r#/providers/Microsoft.CognitiveServices/accounts/one",
    ],
)
async def test_an_address_that_is_not_a_resource_id_causes_no_call(
    tmp_path: Path, address: str
) -> None:
    azure = estate()
    put(azure, "theirs", "x", tags(azure, "acct-b") | {"ProviderAddress": address})
    async with serving(azure, tmp_path / "journal") as p:
        await live(p, timedelta(hours=2))
        found = await answers(p, tmp_path)
    assert row(found, "theirs")["state"] == "refused"
    assert not [c for c in azure.calls if "accounts/one" in c.url]
