"""Events are unwrapped from arrays, known wrappers, text and Base64; nothing is guessed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rotation.domain.envelopes import data_of, folded, json_or_base64, unwrap

ONE = {"eventType": "a", "data": {}}
TWO = {"Type": "b", "data_base64": "e30="}


def nested(body: Any, depth: int) -> Any:
    for _ in range(depth):
        body = [body]
    return body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ONE, [ONE]),
        (TWO, [TWO]),
        ([ONE, TWO], [ONE, TWO]),
        ({"value": [TWO, ONE]}, [TWO, ONE]),
        ({"Event": ONE}, [ONE]),
        ([{"events": [ONE]}, [TWO]], [ONE, TWO]),
        (nested(ONE, 8), [ONE]),
    ],
)
def test_events_are_unwrapped_in_their_order(body: Any, expected: list[Any]) -> None:
    assert unwrap(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"value": []},
        "x",
        None,
        [ONE, "x"],
        {"other": ONE},
        {"value": ONE, "event": TWO},
        nested(ONE, 9),
        {"eventType": "a"},
        {"eventType": "a", "data": None},
        {"eventType": 1, "data": {}},
        {"data": {}},
    ],
)
def test_anything_else_is_refused_as_a_whole(body: Any) -> None:
    with pytest.raises(ValueError, match="neither one of this service nor an event"):
        unwrap(body)


def test_names_are_stripped_and_folded() -> None:
    assert folded({" Data ": 1, 2: "x"}) == {"data": 1, "2": "x"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "members",
    [
        {"data": {"a": 1}},
        {"data": {"a": 1}, "data_base64": None},
        {"data": ' \ufeff{"a":1}'},
        {"data_base64": encoded('{"a":1}')},
        {"data_base64": encoded('\ufeff{"a":1}')},
        {"data": None, "data_base64": " " + encoded('{"a":1}') + "\r\n"},
    ],
)
def test_data_is_read_from_an_object_text_or_base64(members: dict[str, Any]) -> None:
    assert data_of(members) == {"a": 1}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"data": {"a": 1}, "data_base64": encoded("{}")},
        {"data": [1]},
        {"data": "[1]"},
        {"data": "{"},
        {"data": "[" * 100_000},
        {"data_base64": "%%"},
        {"data_base64": "%" + encoded('{"a":1}')},
        {"data_base64": encoded("[1]")},
        {"data_base64": base64.b64encode(b"\xff").decode()},
        {"data_base64": 1},
        {"data_base64": {"a": 1}},
    ],
)
def test_data_that_cannot_be_read_in_one_way_is_none(members: dict[str, Any]) -> None:
    assert data_of(members) is None


JSON = json.dumps({"a": "ä"})


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f" \ufeff{JSON}",
        encoded(JSON),
        f"\ufeff{encoded(JSON)}\n",
        base64.encodebytes(JSON.encode()).decode(),
        " ".join(encoded(JSON)),
    ],
)
def test_a_message_is_json_or_json_in_base64(text: str) -> None:
    assert json_or_base64(text) == {"a": "ä"}


@pytest.mark.parametrize(
    "text",
    ["", "x", "%%", f"%{encoded(JSON)}", encoded("x"), "[" * 100_000, encoded("[" * 100_000)],
)
def test_any_other_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the message is not JSON"):
        json_or_base64(text)
