"""Errors say what a person must do, and never repeat a message that could hold a key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotation.domain.errors import (
    Conflict,
    Permanent,
    RotationError,
    Transient,
    Unknown,
    Unreadable,
    of_service,
    unenrolled,
    unexpected,
)


@pytest.mark.parametrize("kind", [RotationError, Transient, Conflict, Unknown])
def test_an_error_without_a_code_has_the_name_of_its_class(kind: type[RotationError]) -> None:
    assert kind("m").code == kind.__name__
    assert kind("m", code="Throttled").code == "Throttled"
    assert kind("m").advice == "m"


def test_a_temporary_error_keeps_the_wait_that_was_asked_for() -> None:
    assert Transient("m").retry_after is None
    assert Conflict("m", retry_after=timedelta(seconds=7)).retry_after == timedelta(seconds=7)


def test_the_advice_of_a_permanent_error_ends_with_its_remedy() -> None:
    assert Permanent("it is so", code="C", remedy="change it").advice == "it is so; change it"


def test_an_error_is_one_of_the_service_only_if_it_is_marked() -> None:
    exc = Transient("m")
    assert not exc.of_service
    assert of_service(exc) is exc
    assert exc.of_service
    assert not Transient("m").of_service


@pytest.mark.parametrize(("newer", "code"), [(True, "JournalNewer"), (False, "JournalUnreadable")])
def test_an_unreadable_document_is_newer_or_damaged(newer: bool, code: str) -> None:
    exc = Unreadable("name", newer=newer)
    assert (exc.newer, exc.code) == (newer, code)
    assert "name" in str(exc)


def test_a_secret_that_is_not_enrolled_is_named_with_the_tags_to_set() -> None:
    exc = unenrolled("the secret x")
    assert (exc.code, str(exc).startswith("the secret x")) == ("NotEnrolled", True)
    assert "ProviderAddress" in exc.remedy


def test_an_unexpected_error_tells_its_place_and_not_its_message() -> None:
    def fail() -> None:
        raise KeyError("a key")

    with pytest.raises(KeyError) as caught:
        fail()
    found = unexpected(caught.value)
    place = f"test_errors.py:{fail.__code__.co_firstlineno + 1}"
    assert str(found) == f"unexpected KeyError at {place}"
    assert (found.code, "a key" in found.advice) == ("Unexpected", False)
    assert str(unexpected(KeyError("a key"))) == "unexpected KeyError at unknown"
