"""Queue messages: our own, and events that others put into the queue."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.events import Expiring
from rotation.domain.ids import AccountId, TargetId
from rotation.service import messages
from rotation.service.messages import ExpiryNotice, Visit

VISIT = Visit(
    AccountId("s", "g", "n"),
    (TargetId("https://kv.vault.azure.net", "a"),),
    datetime(2026, 11, 23, tzinfo=UTC),
)
NOTICE = ExpiryNotice(
    Expiring("https://kv.vault.azure.net", "a", "1", "e", "is near expiry"), tries=2
)


@pytest.mark.parametrize("message", [VISIT, NOTICE])
def test_a_written_message_reads_back_as_the_same_message(message: messages.Message) -> None:
    assert messages.load(messages.dump(message)) == message


def test_events_are_read_plain_or_in_base64_and_alone_or_in_an_array() -> None:
    event = {"id": "1", "eventType": "Microsoft.KeyVault.SecretNearExpiry", "data": {}}
    plain = json.dumps(event)
    for text in (plain, base64.b64encode(plain.encode()).decode(), json.dumps([event])):
        assert messages.load(text) == [event]


@pytest.mark.parametrize("text", ["", "x", "3", '"text"', "null"])
def test_other_text_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="message"):
        messages.load(text)


@given(st.text())
def test_every_other_text_raises_the_same_error(text: str) -> None:
    with suppress(ValueError):
        messages.load(text)
