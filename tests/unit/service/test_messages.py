"""What travels through the queue: our own messages, and events put there by others."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.events import Expiring
from rotation.domain.model import AccountId, TargetId
from rotation.service import messages
from rotation.service.messages import Look, Visit

VISIT = Visit(
    AccountId("s", "g", "n"),
    (TargetId("https://kv.vault.azure.net", "a"),),
    datetime(2026, 11, 23, tzinfo=UTC),
)
LOOK = Look(Expiring("https://kv.vault.azure.net", "a", "1", "e", "is near expiry"), tries=2)


@pytest.mark.parametrize("message", [VISIT, LOOK])
def test_what_is_written_reads_back(message: messages.Message) -> None:
    assert messages.load(messages.dump(message)) == message


def test_an_event_in_the_queue_is_read_plain_or_in_base64_alone_or_in_an_array() -> None:
    event = {"id": "1", "eventType": "Microsoft.KeyVault.SecretNearExpiry", "data": {}}
    plain = json.dumps(event)
    for text in (plain, base64.b64encode(plain.encode()).decode(), json.dumps([event])):
        assert messages.load(text) == [event]


@pytest.mark.parametrize("text", ["", "x", "3", '"text"', "null"])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="message"):
        messages.load(text)


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(ValueError):
        messages.load(text)
