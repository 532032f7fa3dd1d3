"""Stored documents: read by other versions, and refused if they are something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain import codec


@dataclass(frozen=True)
class Document:
    at: datetime
    length: timedelta = timedelta(hours=1)
    format: int = 2


def test_a_value_reads_back_as_it_was_written() -> None:
    document = Document(datetime(2026, 11, 23, tzinfo=UTC), timedelta(days=2))
    body = codec.dump(document)
    assert body == b'{"at":"2026-11-23T00:00:00Z","length":"P2D","format":2}'
    assert codec.load(Document, body) == document


def test_unknown_members_are_ignored_and_missing_ones_have_their_default() -> None:
    body = b'{"at":"2026-11-23T00:00:00Z","other":1}'
    assert codec.load(Document, body) == Document(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"at":1}',
        b"[" * 100_000,
        b'{"at":"2026-11-23T00:00:00Z"',
        b'{"other":' + b"[" * 100_000,
        b"\xff",
        b'{"at":"2026-11-23T00:00:00Z","length":"P9999999999D"}',
    ],
)
def test_anything_else_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="Document"):
        codec.load(Document, body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"format":3,"other":[1]}', 3),
        (b'{"other":1}', 0),
        (b'{"format":"x"}', 0),
        (b"[]", 0),
        (b"", 0),
        (b"\xff", 0),
        (b"[" * 100_000, 0),
        (b'{"other":' + b"[" * 100_000, 0),
    ],
)
def test_the_format_is_told_or_0(body: bytes, expected: int) -> None:
    assert codec.format_of(body) == expected
