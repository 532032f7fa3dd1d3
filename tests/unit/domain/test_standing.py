"""An index leaves an account alone only if everything that a listing shows is the same."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.domain import standing
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Intent, Phase
from rotation.domain.policy import Policy
from rotation.domain.record import Failure, Notification, Nudge, Record
from rotation.domain.request import Request, RequestKind
from rotation.domain.standing import Shown

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ONE, TWO = TargetId("https://kv", "one"), TargetId("https://kv", "two")
SECRET = Shown(ONE, True, NOW, NOW, NOW, "text/plain", {"a": "1", "b": "2"})
OTHER = SECRET._replace(target=TWO)
ACCOUNT = AccountId("s", "g", "n")
RESTING = Record(ACCOUNT, "salt", rest="0" * 32, waiting_until=NOW, members={str(ONE): Member(NOW)})


@pytest.mark.parametrize(
    "change",
    [
        {"target": TWO},
        {"target": TargetId("https://kv2", "one")},
        {"enabled": False},
        {"created": NOW + SECOND},
        {"updated": NOW + SECOND},
        {"expires": None},
        {"content_type": ""},
        {"tags": {"a": "1"}},
        {"tags": {"a": "1", "b": "3"}},
    ],
)
def test_each_change_changes_the_digest(change: dict[str, Any]) -> None:
    changed = SECRET._replace(**change)
    assert standing.digest([changed], Policy()) != standing.digest([SECRET], Policy())


def test_so_do_another_secret_one_less_and_other_settings() -> None:
    both = standing.digest([SECRET, OTHER], Policy())
    assert both != standing.digest([SECRET], Policy())
    assert both != standing.digest([SECRET, OTHER], Policy(lead=timedelta(days=1)))


def test_the_order_of_secrets_and_tags_does_not_matter() -> None:
    turned = SECRET._replace(tags={"b": "2", "a": "1"})
    assert standing.digest([OTHER, turned], Policy()) == standing.digest([SECRET, OTHER], Policy())


def test_another_process_finds_the_same_digest() -> None:
    code = (
        "from tests.unit.domain.test_standing import *; print(standing.digest([SECRET], Policy()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == standing.digest([SECRET], Policy())


def test_parts_of_a_digest_add_up() -> None:
    parts = standing.trace(SECRET) + standing.trace(OTHER)
    assert standing.total([parts], Policy()) == standing.digest([SECRET, OTHER], Policy())


def test_a_change_within_two_seconds_may_not_show() -> None:
    assert not SECRET.is_settled(NOW + 2 * SECOND - timedelta(microseconds=1))
    assert SECRET.is_settled(NOW + 2 * SECOND)
    assert not SECRET._replace(updated=None).is_settled(NOW)


def test_an_account_at_rest_has_its_wake_up_and_its_digest() -> None:
    found = standing.parse(standing.index(replace(RESTING, rest=f"{7:032x}")))
    assert found == (NOW, 7)
    assert standing.index(RESTING).isascii()


REQUEST = Request("r-1", RequestKind.MANUAL, "because", "ana", NOW)


@pytest.mark.parametrize(
    "members",
    [
        {"rest": ""},
        {"waiting_until": None},
        {"phase": Phase.VERIFY},
        {"requests": (REQUEST,)},
        {"intent": Intent("i", Slot.KEY1, "before", NOW)},
        {"outbox": (Notification("n", "x", NOW, {}),)},
        {"nudges": {"app": Nudge(("v1",), NOW)}},
        {"blocked": Failure("c", "m", "r", NOW)},
        {"last_failure": Failure("c", "m", "r", NOW)},
        {"began_at": NOW},
    ],
)
def test_an_account_with_work_to_do_is_visited(members: dict[str, Any]) -> None:
    assert standing.index(replace(RESTING, **members)) == ""


def test_a_record_that_was_lost_is_complete_again() -> None:
    assert standing.index(replace(RESTING, began_at=NOW, searched=True))


def test_a_record_without_secrets_is_not_read_again() -> None:
    unused = replace(RESTING, members={}, rest="", waiting_until=None)
    assert standing.is_unused(standing.index(unused))
    assert not standing.is_unused(standing.index(replace(unused, requests=(REQUEST,))))
    assert not standing.is_unused(standing.index(RESTING))
    assert standing.parse(standing.index(unused)) is None


@pytest.mark.parametrize(
    "text",
    ["", "1", "2 1800000000 ff", "1 x ff", "1 1800000000", "1 1800000000 no", f"1 {10**30} f"],
)
def test_an_index_that_cannot_be_read_is_visited(text: str) -> None:
    assert standing.parse(text) is None
    assert not standing.is_unused(text)
