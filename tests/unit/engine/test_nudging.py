"""Refreshes of consumers: together, each within a bound, and never an exception."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from rotation.domain.consumers import Consumer, parse
from rotation.domain.errors import Transient
from rotation.domain.ids import AccountId
from rotation.domain.record import Nudge, Record
from rotation.engine import nudging
from rotation.engine.nudging import Nudging
from rotation.runtime.clock import Clock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/r/providers/"
ACCOUNT = AccountId.parse(f"{GROUP}Microsoft.CognitiveServices/accounts/acct")
NAMES = ("works", "hangs", "fails", "breaks")
CONSUMERS = parse(
    ",".join(f"{name}@kv-a={GROUP}Microsoft.Web/sites/{name}" for name in NAMES),
    ("https://kv-a.vault.azure.net",),
)


class Apps:
    async def refresh(self, consumer: Consumer) -> None:
        if consumer.name == "hangs":
            await asyncio.sleep(5)
        if consumer.name == "fails":
            raise Transient("busy", code="Busy")
        if consumer.name == "breaks":
            raise LookupError("a secret text")


async def test_a_consumer_that_hangs_or_fails_concerns_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nudging, "SECONDS", 0.1)
    due = {name: Nudge((f"{name}/v",), NOW) for name in (*NAMES, "removed")}
    record = replace(Record(ACCOUNT, "salt"), nudges=due)
    found: list[Record] = []

    async def amend(change: nudging.Change) -> Record:
        found.append(change(record) or record)
        return found[-1]

    nudger = Nudging(Apps(), CONSUMERS, Clock(lambda: NOW))
    again = await nudger.deliver(record, amend)
    errors = {name: nudge.error for name, nudge in found[0].nudges.items()}
    assert errors["works"] == ""
    assert errors["hangs"] == "refresh hangs: no answer"
    assert errors["fails"] == "busy"
    assert "unexpected LookupError" in errors["breaks"]
    assert "secret text" not in errors["breaks"]
    assert "ROTATION_CONSUMERS" in errors["removed"]
    assert found[0].nudges["works"].next_at is None
    assert again == min(n.next_at for n in found[0].nudges.values() if n.next_at)
