"""A fault or a hand on one account, vault, secret or document touches no other account."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from tests.integration.wire.api import Api
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-keys"
TOPIC_HOST = "topic.westeurope-1.eventgrid.azure.net"
READS = ("list_secrets", "plan", "doctor", "list_rotations")


async def answers(p: Product, tmp_path: Path) -> dict[str, Any]:
    """The answers of the API's reads, and of a dry run for everything; none may be an error."""
    api = Api(p, tmp_path / "answers.txt")
    found = {}
    for name in READS:
        status, found[name] = await api.call(name)
        assert status == 200, (name, found[name])
    status, found["dry run"] = await api.post(all=True, reason="a look", dry_run=True)
    assert status in (200, 409), found["dry run"]
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


# Documents of the journal that cannot be read.

GARBAGE = {
    "truncated": b'{"account": {"subscription": "1"',
    "empty": b"",
    "not a record": b"[]",
    "another account": b'{"account":{"subscription":"1","resource_group":"g","name":"n"},'
    b'"salt":""}',
    "unknown phase": b'{"account":{"subscription":"1"},"salt":"","phase":"prepare"}',
    "deep": b"[" * 100_000,
}


def spoil(directory: Path, p: Product, body: bytes, account: str = "acct-b") -> None:
    """Overwrite the record of an account."""
    (directory / "journal" / f"{p.account(account).slug}.json").write_bytes(body)


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("listed", [True, False])
async def test_a_garbage_document_is_its_accounts_problem(
    tmp_path: Path, body: bytes, listed: bool
) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
        spoil(tmp_path, p, body)
        if not listed:
            del azure.vault(NEIGHBOURS).secrets["acct-b-key"]
        swept = await p.triggers.sweep()
        found = await answers(p, tmp_path)
        await live(p, DAY)
    assert swept.stopped == ""
    assert row(found, "aoai-demo-key")["state"] in ("rotating", "overlap")
    if listed:
        spoiled = row(found, "acct-b-key")
        assert (spoiled["state"], spoiled["error"]["code"]) == ("failing", "JournalUnreadable")
        assert "cannot be read" in spoiled["why"]
    else:
        assert any("cannot be read" in problem for problem in swept.problems)
        assert any("cannot be read" in problem for problem in found["list_secrets"]["problems"])
    assert is_rotated(azure)


async def test_a_fresh_record_takes_over_from_garbage_after_fifteen_minutes(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
        spoil(tmp_path, p, GARBAGE["truncated"])
        await live(p, timedelta(minutes=15), every=timedelta(minutes=15))
        assert (tmp_path / "journal" / f"garbage-{p.account('acct-b').slug}.json").exists()
        await p.triggers.sweep()
        record = await p.record("acct-b")
        assert set(record.quarantine) == {"Key1", "Key2"}, "what was sent may still arrive"
        await live(p, 3 * DAY)
        codes = [e["data"].get("code") for e in azure.topics.received[TOPIC_HOST]]
    assert "JournalUnreadable" in codes
    assert len(values(azure, NEIGHBOURS, "acct-b-key")) >= 2, "its rotation goes on"


async def test_so_it_does_if_the_latest_version_of_the_secret_has_no_tags(tmp_path: Path) -> None:
    """No listing names the account then; the search for lost records does."""
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
        put(azure, "acct-b-key", values(azure, NEIGHBOURS, "acct-b-key")[-1], {})
        spoil(tmp_path, p, GARBAGE["truncated"])
        await live(p, timedelta(hours=1), every=timedelta(minutes=15))
        record = await p.record("acct-b")
    assert [*record.members] == [f"{azure.vault(NEIGHBOURS).url}/secrets/acct-b-key"]


async def test_a_document_of_a_newer_version_is_never_replaced(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
        newer = b'{"format": 2, "account": "written otherwise"}'
        spoil(tmp_path, p, newer)
        await live(p, 2 * DAY)
        found = await answers(p, tmp_path)
    slug = p.account("acct-b").slug
    assert (tmp_path / "journal" / f"{slug}.json").read_bytes() == newer
    assert row(found, "acct-b-key")["error"]["code"] == "JournalNewer"
    assert "deploy the newer version" in row(found, "acct-b-key")["why"]
    assert is_rotated(azure)


# Accounts that always fail.


def failing(azure: Azure, how: str, count: int = 3) -> None:
    """Add accounts of the neighbours that fail for ever, and that a sweep visits first."""
    for number in range(count):
        name = f"gone-{number}"
        account = azure.add_account(name)
        put(azure, name, account.keys["Key1"], tags(azure, name))
        azure.secret(NEIGHBOURS, name).current.exp = 1
        if how == "keyless":
            azure.identity.principals[0].assign("Key rotator", account.id)
            account.disable_local_auth = True
        elif how == "deleted":
            del azure.accounts.by_id[account.id.lower()]


@pytest.mark.parametrize("how", ["deleted", "keyless", "forbidden"])
async def test_accounts_that_always_fail_do_not_stop_the_sweep(tmp_path: Path, how: str) -> None:
    azure = estate(lives=80 * DAY)
    failing(azure, how, 5)
    azure.secret(OWNERS, "aoai-demo-key").current.exp = int(azure.clock.now().timestamp()) + 86400
    everything = f"{OWNERS}={GROUP},{NEIGHBOURS}={GROUP}"
    async with serving(azure, tmp_path / "journal", ROTATION_BINDINGS=everything) as p:
        swept = await p.triggers.sweep()
        await live(p, 2 * DAY)
    assert swept.stopped == ""
    assert is_rotated(azure)


async def test_a_failing_account_has_one_chain_of_messages(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    failing(azure, "forbidden", 2)
    everything = f"{OWNERS}={GROUP},{NEIGHBOURS}={GROUP}"
    async with serving(azure, tmp_path / "journal", ROTATION_BINDINGS=everything) as p:
        await p.triggers.sweep()
        spoil(tmp_path, p, b'{"format": 99}')
        waiting = []
        quarter = timedelta(minutes=15)
        for _ in range(DAY // quarter):
            await p.triggers.sweep()
            await p.run(quarter)
            waiting.append(len(p.queue.waiting))
    assert max(waiting) <= 4, "one for each account, and no more as time goes by"
    assert p.queue.put_so_far <= 4 * 2 * (DAY // quarter)


# Answers of Azure that are not as documented.


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"value": None},
        {"value": [None]},
        {"value": [{"id": 5}]},
        {"value": [{"id": "nonsense", "attributes": None, "tags": 3}]},
        {"value": [{"attributes": {"exp": "soon", "created": {}}, "tags": []}]},
        "text",
    ],
)
@pytest.mark.parametrize("operation", ["keyvault.*", "arm.*"])
async def test_an_odd_answer_is_the_problem_of_one_vault_or_account(
    tmp_path: Path, operation: str, body: object
) -> None:
    azure = beyond_the_contract(estate())
    fault = Fault("answer", operation, "*kv-team-b*", status=200, body=body, times=10**6)
    if operation == "arm.*":
        fault = Fault("answer", operation, "*acct-b*", status=200, body=body, times=10**6)
    azure.faults.add(fault)
    async with serving(azure, tmp_path / "journal") as p:
        await live(p, 2 * timedelta(hours=1))
        await answers(p, tmp_path)
    assert is_rotated(azure)


async def test_bindings_that_a_newer_version_stored_are_not_overwritten(tmp_path: Path) -> None:
    azure = estate()
    newer = b'{"format": 2, "setting": {"kv": "written otherwise"}}'
    async with serving(azure, tmp_path / "journal") as p:
        (tmp_path / "journal").mkdir()
        (tmp_path / "journal" / "bindings.json").write_bytes(newer)
        swept = await p.triggers.sweep()
        health = await Api(p, tmp_path / "answers.txt").call("health")
    assert "newer version" in swept.stopped
    assert health[0] == 503
    assert (tmp_path / "journal" / "bindings.json").read_bytes() == newer
