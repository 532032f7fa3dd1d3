"""Stored data of the earlier version is read, and written so that it can read it too."""

from __future__ import annotations

import inspect
import json
from enum import StrEnum
from typing import Any

import pytest
from msgspec import Struct

from rotation.decisions.actions import ActionKind
from rotation.domain import codec
from rotation.domain.events import Expiring
from rotation.domain.keys import Slot
from rotation.domain.operation import (
    AuditEntry,
    Intent,
    Operation,
    Phase,
    PublishedVersion,
    Purpose,
)
from rotation.domain.record import Failure, Notification, ObservedVersion, Record
from rotation.domain.request import Leaked, Request, RequestKind
from rotation.engine.journal import LastSweep
from rotation.service import messages
from rotation.service.messages import ExpiryNotice, Visit

from .earlier import DOCUMENTS, MESSAGES, SCHEMA, SWEEP, lost, rewritten

STRUCTS: dict[str, type[Struct]] = {
    "Record": Record,
    "Operation": Operation,
    "Wish": Request,
    "Intent": Intent,
    "Entry": AuditEntry,
    "Put": PublishedVersion,
    "Seen": ObservedVersion,
    "Notice": Notification,
    "Trouble": Failure,
}

DATACLASSES: dict[str, Any] = {
    "Visit": Visit,
    "Look": ExpiryNotice,
    "Expiring": Expiring,
    "LastSweep": LastSweep,
}

ENUMS: dict[str, type[StrEnum]] = {
    "Phase": Phase,
    "Purpose": Purpose,
    "Leaked": Leaked,
    "WishKind": RequestKind,
    "Slot": Slot,
    "Kind": ActionKind,
}

# Members that were added since. The earlier version ignores them and drops them when it writes.
ADDED = {"Operation": {"began_in", "regenerated_at", "proven", "ending"}}


def load(document: bytes) -> Record:
    return codec.load(Record, document)


def test_there_is_a_document_for_every_phase() -> None:
    assert {phase.value for phase in Phase} <= set(DOCUMENTS)
    assert all(load(DOCUMENTS[phase]).phase is phase for phase in Phase)


def test_there_is_a_request_of_every_kind_and_every_ending() -> None:
    waiting = load(DOCUMENTS["waiting-requests"])
    assert {request.kind for request in waiting.requests} == set(RequestKind)
    outcomes = [str(done.outcome) for done in load(DOCUMENTS["history"]).history]
    for first in ("the old key", "abandoned", "overtaken", "repaired", "cancelled", "no secret"):
        assert any(outcome.startswith(first) for outcome in outcomes), first


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_read_and_written_without_losing_a_member(name: str) -> None:
    written = codec.dump(load(DOCUMENTS[name]))
    assert lost(json.loads(DOCUMENTS[name]), json.loads(written)) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_earlier_version_can_read_what_is_written_now(name: str) -> None:
    """It ignores members that it does not know; all those that it does know are there."""
    written = codec.dump(load(DOCUMENTS[name]))
    assert json.loads(rewritten(written)) == json.loads(DOCUMENTS[name])


@pytest.mark.parametrize("name", STRUCTS)
def test_stored_members_keep_their_names(name: str) -> None:
    members = set(STRUCTS[name].__struct_encode_fields__)
    assert members >= {*SCHEMA[name], *ADDED.get(name, ())}


@pytest.mark.parametrize("name", DATACLASSES)
def test_members_of_messages_and_of_the_last_sweep_keep_their_names(name: str) -> None:
    members = list(inspect.signature(DATACLASSES[name]).parameters)
    assert members[: len(SCHEMA[name])] == SCHEMA[name]


@pytest.mark.parametrize("name", ENUMS)
def test_stored_values_keep_their_spelling(name: str) -> None:
    assert [value.value for value in ENUMS[name]] == SCHEMA[name]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_queue_message_is_read_and_written_without_losing_a_member(name: str) -> None:
    message = messages.load(MESSAGES[name])
    assert isinstance(message, Visit | ExpiryNotice)
    assert lost(json.loads(MESSAGES[name]), json.loads(messages.dump(message))) == []


def test_the_last_sweep_is_read_and_written_without_losing_a_member() -> None:
    assert lost(json.loads(SWEEP), json.loads(codec.dump(codec.load(LastSweep, SWEEP)))) == []
