"""No output shows a part of a key, or a client's idempotency key.

Outputs are log lines of every level, answers of the API, the journal, messages, events, tags, and
what commands print. In this Azure, every service quotes keys in its errors.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from rotation import web
from rotation.domain.redaction import FRAGMENT
from tests.integration.wire.api import Api
from tests.integration.wire.product import Product

from .estate import NEIGHBOURS, OWNERS, estate, live, serving

IDEMPOTENCY = "clients-own-Key.51b0"
HOUR = timedelta(hours=1)
IN_MEMORY = ("arm.regenerate_key", "keyvault.set_secret")
QUOTING = (
    "arm.get_account",
    "arm.list_keys",
    "arm.regenerate_key",
    "keyvault.list_secrets",
    "keyvault.get_secret",
    "keyvault.set_secret",
    "keyvault.update_secret",
    "keyvault.list_versions",
    "inference.*",
    "eventgrid.publish",
)


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The messages of every level of every logger."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(logging.Formatter().format(record))

    handler, root = Handler(), logging.getLogger()
    root.addHandler(handler)
    yield found
    root.removeHandler(handler)


def quote(azure: Azure, operation: str, status: int) -> None:
    """Let an operation's next call for each account fail with a text that quotes its keys."""
    for account in ("aoai-demo", "acct-b"):
        texts = [_quoted(operation, key) for key in azure.account(account).keys.values()]
        error = {"code": texts[0].split()[0], "message": f"bad value {texts}"}
        match = f"*{account}*" if operation in IN_MEMORY else "*"
        fault = Fault("answer", operation, match, status=status, body={"error": error})
        azure.faults.add(fault)


def _quoted(operation: str, key: str) -> str:
    """Return a whole key, or also parts of it if the key is in memory during the call."""
    whole = f"{key} '{key}' {key}"
    parts = f"{key[:20]} …{key[-FRAGMENT:]} {key[9:30].upper()}"
    return f"{parts} {whole}" if operation in IN_MEMORY else whole


async def everything(p: Product, api: Api) -> None:
    """Rotate, repair, report a leak, and read all routes, with errors that quote keys."""
    azure = p.azure
    for status, operations in (
        (400, IN_MEMORY[:1]),
        (400, IN_MEMORY[1:]),
        (403, QUOTING),
        (500, QUOTING),
    ):
        for operation in operations:
            quote(azure, operation, status)
        await live(p, HOUR, every=HOUR / 2)
        await api.post(vault=OWNERS, secret="aoai-demo-key", reason="x", key=IDEMPOTENCY)
        await _read(api, azure)
    azure.faults.clear()
    azure.regenerate_by_hand("acct-b", "Key1")
    account = azure.account("acct-b").id
    await api.post(account=account, leaked="key1", reason="x", key=IDEMPOTENCY + "2")
    await api.post(account=account, leaked="key2", reason="x", key=IDEMPOTENCY + "2")
    await api.post(vault=NEIGHBOURS, reason="x", key=IDEMPOTENCY + "3")
    await live(p, HOUR)
    await _read(api, azure)


async def _read(api: Api, azure: Azure) -> None:
    _, found = await api.call("list_rotations", query={"batch": IDEMPOTENCY})
    params: dict[str, Any] = {"vault": OWNERS, "secret": "aoai-demo-key"}
    params["slug"] = api.product.account().slug
    for route in web.ROUTES:
        if route.method == "GET" and route.name not in ("dashboard", "get_rotation"):
            await api.call(route.name, params=params)
    for one in found["rotations"]:
        await api.call("get_rotation", params={"id": one["id"]})


def parts(keys: frozenset[str]) -> set[str]:
    """Return every part of a key that must not appear."""
    return {key[at : at + FRAGMENT] for key in keys for at in range(len(key) - FRAGMENT + 1)}


def shown(text: str, wanted: set[str]) -> set[str]:
    return {text[at : at + FRAGMENT] for at in range(len(text) - FRAGMENT + 1)} & wanted


async def test_no_output_shows_a_part_of_a_key_or_an_idempotency_key(
    tmp_path: Path, log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        api = Api(p, tmp_path / "answers.txt")
        await everything(p, api)
        outputs = {path.name: path.read_text() for path in _files(tmp_path)}
        outputs["messages"] = repr(p.queue.waiting)
    outputs["log"] = "\n".join(log)
    outputs["events"] = repr(azure.topics.received)
    outputs["tags"] = repr([v.tags for v in azure.secret(OWNERS, "aoai-demo-key").versions])
    outputs["printed"] = "".join(capsys.readouterr())
    wanted = parts(azure.issued_keys())
    for where, text in outputs.items():
        assert not shown(text, wanted), where
        assert IDEMPOTENCY not in text, where
    for doing in ("regenerate", "publish", "read", "list"):
        assert re.search(f"{doing} .*: 4.. .*bad value", outputs["log"]), doing


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]
