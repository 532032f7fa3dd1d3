"""Notifications are delivered in order and once; what fails stays, what is refused is skipped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rotation.adapters.file_store import FileStore
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.domain.ids import AccountId
from rotation.domain.record import Notification, Record
from rotation.engine.journal import Journal
from rotation.engine.outbox import cloud_event, deliver_pending

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = AccountId("s", "g", "acct")
REFUSED = Permanent("refused", code="Forbidden", remedy="grant the role")


class Topic:
    """A topic that refuses some events."""

    def __init__(self, errors: Mapping[str, RotationError]) -> None:
        self.errors = errors
        self.received: list[Mapping[str, Any]] = []

    async def send(self, event: Mapping[str, Any]) -> None:
        if event["id"] in self.errors:
            raise self.errors[event["id"]]
        self.received.append(event)


def notification(name: str, kind: str = "published") -> Notification:
    return Notification(name, kind, NOW, {"operation": "op-1", "purpose": "rotate"})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(FileStore(tmp_path))


async def left(journal: Journal) -> list[str]:
    return [one.id for one in (await journal.load(ACCOUNT))[0].outbox]


def test_an_event_names_its_type_and_its_account() -> None:
    assert cloud_event(notification("n-1", "keyPublished"), ACCOUNT) == {
        "id": "n-1",
        "type": "KeyRotation.KeyPublished",
        "subject": "accounts/acct",
        "time": NOW,
        "data": {"operation": "op-1", "purpose": "rotate"},
    }


@pytest.mark.parametrize(
    ("errors", "received", "remaining"),
    [
        ({}, ["1", "2", "3"], []),
        ({"2": Transient("busy")}, ["1"], ["2", "3"]),
        ({"2": REFUSED}, ["1", "3"], ["2"]),
        ({"1": Transient("busy")}, [], ["1", "2", "3"]),
    ],
)
async def test_a_failure_keeps_the_order_and_a_refusal_does_not_stop_the_others(
    journal: Journal,
    errors: dict[str, RotationError],
    received: list[str],
    remaining: list[str],
) -> None:
    waiting = tuple(notification(name) for name in ("1", "2", "3"))
    await journal.save(Record(ACCOUNT, "salt", outbox=waiting), None)
    topic = Topic(errors)
    await deliver_pending(journal, topic, ACCOUNT)
    assert [event["id"] for event in topic.received] == received
    assert await left(journal) == remaining


async def test_without_a_topic_nothing_waits(journal: Journal) -> None:
    await journal.save(Record(ACCOUNT, "salt", outbox=(notification("1"),)), None)
    await deliver_pending(journal, None, ACCOUNT)
    assert await left(journal) == []


async def test_one_that_is_added_while_others_are_delivered_stays(journal: Journal) -> None:
    await journal.save(Record(ACCOUNT, "salt", outbox=(notification("1"),)), None)

    class Busy(Topic):
        async def send(self, event: Mapping[str, Any]) -> None:
            more = (notification("1"), notification("2"))
            await journal.amend(ACCOUNT, lambda _: Record(ACCOUNT, "salt", outbox=more))

    await deliver_pending(journal, Busy({}), ACCOUNT)
    assert await left(journal) == ["2"]


async def test_an_empty_outbox_writes_nothing(journal: Journal) -> None:
    await deliver_pending(journal, Topic({}), ACCOUNT)
    assert [slug async for slug in journal.slugs()] == []
