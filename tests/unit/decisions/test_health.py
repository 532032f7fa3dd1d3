"""A consumer's answer and the key that it proves."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import pytest

from rotation.decisions.health import problem

from .account import KEYS, target

NONCE = "n-1"
TARGET = target("a", KEYS.key2, version="v2")
MAC = hmac.new(KEYS.key2.reveal().encode(), NONCE.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"version": "V2 "}, ""),
        ({"hmac": MAC.upper()}, ""),
        ({"version": "v2", "hmac": MAC}, ""),
        ({"version": "v1"}, "another version"),
        ({"version": "v1", "hmac": MAC}, "another version"),
        ({"version": "v2", "hmac": "0"}, "another key"),
        ({"hmac": "\ud800"}, "another key"),
        ({"version": 2}, "no version and no hmac"),
        ({}, "no version and no hmac"),
    ],
)
def test_an_answer_confirms_the_version_or_the_key(answer: Mapping[str, object], says: str) -> None:
    found = problem(answer, TARGET, NONCE)
    assert (says in found) if says else not found


def test_an_hmac_of_another_nonce_or_of_a_disabled_secret_proves_nothing() -> None:
    assert problem({"hmac": MAC}, TARGET, "n-2") == "it uses another key"
    assert problem({"hmac": MAC}, target("a", None, version="v2"), NONCE) == "it uses another key"
