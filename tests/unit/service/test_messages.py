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
    AccountId("s", "g", "n1"),
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


def test_base64_with_line_breaks_and_a_byte_order_mark_is_read() -> None:
    event = {"id": "1", "type": "Microsoft.KeyVault.SecretNearExpiry", "data": {"a": "b" * 99}}
    plain = json.dumps(event)
    marked = plain.encode("utf-8-sig")
    for text in (f"\ufeff{plain}", base64.encodebytes(marked).decode(), f"  {plain}\r\n"):
        assert messages.load(text) == [event]


EVENT = {"id": "1", "eventType": "Microsoft.KeyVault.SecretNearExpiry", "data": {"a": 1}}
CLOUD = {"id": "1", "type": "t", "specversion": "1.0", "data_base64": "e30="}


@pytest.mark.parametrize(
    "body",
    [
        {"value": [EVENT, CLOUD]},
        {"Event": [EVENT, CLOUD]},
        {"events": [{"event": EVENT}, CLOUD]},
        [[EVENT], [[CLOUD]]],
        [{"event": EVENT}, [{"value": [CLOUD]}]],
    ],
)
def test_wrapped_events_are_read_in_their_order(body: object) -> None:
    assert messages.load(json.dumps(body)) == [EVENT, CLOUD]


VISIT_TEXT = messages.dump(VISIT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "3",
        '"text"',
        "null",
        "{}",
        "[]",
        '{"hello": "world"}',
        '[{"type": "t", "data": {}}, 3]',
        '{"type": "t"}',
        '{"type": 3, "data": {}}',
        '{"visit": {"account": "\ud800"}}',
        "[" * 100_000,
        '{"type": "t", "data": ' + "[" * 100_000,
        "9" * 5000,
        '{"visit": {"tries": ' + "9" * 400 + "}}",
        '{"visit": ' + "[" * 900 + "]" * 900 + "}",
        "[" * 900 + '{"type": "t", "data": {}}' + "]" * 900,
        '{"value": [], "nextLink": null}',
        '{"event": {"hello": "world"}}',
        '{"value": [{"type": "t", "data": {}}], "more": 1}',
        '{"type": "t", "data": null}',
        VISIT_TEXT.replace('"tries":0', '"tries":-1'),
        messages.dump(NOTICE).replace('"tries":2', '"tries":99999'),
        VISIT_TEXT.replace('"resource_group":"g"', '"resource_group":".."'),
        VISIT_TEXT.replace('"name":"n1"', '"name":"n1/../n2"'),
        VISIT_TEXT.replace('"name":"a"', '"name":"a/../b"'),
        messages.dump(NOTICE).replace('"secret":"a"', '"secret":"a?b"'),
    ],
)
def test_other_text_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the queue only needs to know that it is poison
        messages.load(text)


@given(st.text())
def test_every_other_text_raises_the_same_error(text: str) -> None:
    with suppress(ValueError):
        messages.load(text)
