"""The text about readers of the former version."""

from __future__ import annotations

from rotation.domain.evidence import Readers


def test_every_finding_is_told_once_in_one_line() -> None:
    readers = Readers(("app-1", "app-2"), ("s-1",), "the log cannot be read", ("shop is behind",))
    assert str(readers) == (
        "still reading the old version: app-1, app-2; no usable audit log of s-1; "
        "the log cannot be read; shop is behind"
    )


def test_nothing_found_is_an_empty_text() -> None:
    assert str(Readers()) == ""
