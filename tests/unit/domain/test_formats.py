"""Formats of a secret's value: strict in reading, and readable again after writing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain.errors import Permanent
from rotation.domain.formats import FOREIGN, Format, parse
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key
from rotation.domain.targets import Enrolment, Target

KEY = "0123456789abcdef" * 2
ENDPOINT = "https://acct.openai.azure.com/"
TEXT = Format("Endpoint={endpoint};Account={account};Key={key}")
DOCUMENT = Format({"endpoint": "{endpoint}", "auth": {"key": "{key}"}, "version": 2})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _target(name: str) -> Target:
    enrolment = Enrolment(AccountId("s-1", "rg", "acct"), format=name)
    return Target(TargetId("https://kv", "s"), "v", None, NOW, None, None, {}, enrolment)


@pytest.mark.parametrize("form", [TEXT, DOCUMENT])
def test_a_rendered_value_is_read_again(form: Format) -> None:
    value = form.render(Key(KEY), "acct", ENDPOINT).reveal()
    assert form.extract(value) == KEY
    assert KEY in value
    assert ENDPOINT in value


def test_the_texts_are_as_the_template_says() -> None:
    text = TEXT.render(Key(KEY), "acct", ENDPOINT).reveal()
    assert text == f"Endpoint={ENDPOINT};Account=acct;Key={KEY}"
    document = DOCUMENT.render(Key(KEY), "acct", ENDPOINT).reveal()
    assert json.loads(document) == {"endpoint": ENDPOINT, "auth": {"key": KEY}, "version": 2}


@pytest.mark.parametrize(
    "value",
    [
        KEY,
        "",
        f"Endpoint={ENDPOINT};Account=acct;Key={KEY};Extra=1",
        f" Endpoint={ENDPOINT};Account=acct;Key={KEY}",
        f"Endpoint={ENDPOINT};Account=acct;Key={KEY}\n",
        f"Endpoint=http://acct/;Account=acct;Key={KEY}",
        f"Endpoint={ENDPOINT};Account=acct;Key=",
        f"Endpoint={ENDPOINT};Account=acct;Key=pass word",
    ],
)
def test_another_text_is_foreign(value: str) -> None:
    assert TEXT.extract(value) is None


@pytest.mark.parametrize(
    "value",
    [
        KEY,
        "{}",
        "[]",
        "[" * 8000,
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "{KEY}"}}}}',
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "{KEY}"}}, "version": 3}}',
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "{KEY}"}}, "version": 2.0}}',
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "{KEY}", "more": 1}}, "version": 2}}',
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "{KEY}"}}, "version": 2, "note": "ours"}}',
        f'{{"endpoint": "{ENDPOINT}", "auth": {{"key": "x", "key": "{KEY}"}}, "version": 2}}',
        f'{{"endpoint": 1, "auth": {{"key": "{KEY}"}}, "version": 2}}',
    ],
)
def test_another_document_is_foreign(value: str) -> None:
    assert DOCUMENT.extract(value) is None


def test_a_document_may_be_written_in_another_order_and_with_other_blanks() -> None:
    value = f'{{ "version":2,\n"auth":{{"key":"{KEY}"}}, "endpoint":"{ENDPOINT}" }}'
    assert DOCUMENT.extract(value) == KEY


def test_a_value_that_could_not_be_read_again_is_not_rendered() -> None:
    with pytest.raises(ValueError, match="read again"):
        TEXT.render(Key(KEY), "acct", "")


def test_a_foreign_value_is_like_no_key_and_an_unknown_format_is_told_apart() -> None:
    formats = parse('{"text": "Key={key}"}')
    assert formats.extract("text", "password") == FOREIGN.reveal() == ""
    assert formats.extract("text", f"Key={KEY}") == KEY
    assert formats.extract("other", f"Key={KEY}") is None
    assert formats.extract("", "anything") == "anything"


@pytest.mark.parametrize(
    "text",
    [
        "Key={key}",
        '["Key={key}"]',
        '{"a": "no place"}',
        '{"a": "{key};{key}"}',
        '{"a": {"x": "{key}", "y": "{key}"}}',
        '{"a": "{endpoint}{key}"}',
        '{"a": "{key}"}',
        '{"A b": "Key={key}"}',
        '{"a": 1}',
        '{"a": "Key={key}", "a": "K={key}"}',
        "[" * 100000,
    ],
)
def test_other_settings_are_refused_without_a_quotation(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON object|not valid") as refused:
        parse(text)
    assert "no place" not in str(refused.value)


def test_the_remark_tells_which_format_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"^format 2, 3 is not valid"):
        parse('{"good": "Key={key}", "bad": 1, "worse": "none"}')


@pytest.mark.parametrize(
    "text",
    ['{"A b": 1}', '{"A b": "Key={key}"}', '{"a": {"x": "{account}{key}", "y": "plain"}}'],
)
def test_a_wrong_name_type_or_pair_of_places_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="format 1 is not valid"):
        parse(text)


def test_a_document_may_hold_an_empty_list_and_other_letters_than_ascii() -> None:
    form = Format({"key": "{key}", "note": "schlüssel", "tags": []})
    value = form.render(Key(KEY), "acct", ENDPOINT).reveal()
    assert "schlüssel" in value, "a value that the template does not escape"
    assert form.extract(value) == KEY


def test_a_longer_value_than_any_format_makes_is_foreign() -> None:
    form = Format("Key={key}")
    longest = "Key=" + "a" * (2048 - 4)
    assert form.extract(longest) == longest[4:]
    assert form.extract(longest + "a") is None


def test_a_target_gets_the_key_alone_or_in_the_format_that_its_tag_names() -> None:
    formats = parse('{"text": "{account};Key={key}"}')
    assert formats.render(_target(""), Key(KEY), ENDPOINT) == Key(KEY)
    assert formats.render(_target("text"), Key(KEY), ENDPOINT) == Key(f"acct;Key={KEY}")


@pytest.mark.parametrize("name", ["other", "0123456789abcdef0123456789abcdef"])
def test_a_format_that_the_setting_does_not_have_is_told_with_its_remedy(name: str) -> None:
    with pytest.raises(Permanent, match=r"s: its format .* is not defined") as raised:
        parse('{"text": "Key={key}"}').render(_target(name), Key(KEY), ENDPOINT)
    assert raised.value.code == "UnknownFormat"
    assert "0123456789abcdef" not in str(raised.value)


def test_a_format_that_cannot_hold_the_endpoint_costs_no_key() -> None:
    formats = parse('{"text": "{endpoint};Key={key}"}')
    with pytest.raises(Permanent, match="cannot hold") as raised:
        formats.render(_target("text"), Key(KEY), "http://not-secure/")
    assert raised.value.code == "UnknownFormat"


@given(st.text(alphabet="Key=;{}abc0\n ", max_size=40))
def test_reading_never_raises_and_what_is_read_is_in_the_value(value: str) -> None:
    form = Format("Key={key};")
    found = form.extract(value)
    assert found is None or f"Key={found};" == value
