"""The room that Azure leaves is known by place, and normal visits wait by lot."""

from __future__ import annotations

from datetime import timedelta

from rotation.decisions.pressure import SPREAD
from rotation.engine.pressures import Pressures
from tests.unit.decisions.account import NOW

MINUTE = timedelta(minutes=1)


def test_without_an_answer_nobody_waits() -> None:
    assert Pressures().pause(["s1"], "a", NOW) == Pressures().pause([], "a", NOW) == timedelta()


def test_a_place_that_refused_is_left_alone_in_any_case() -> None:
    found = Pressures()
    found.refused("S1", MINUTE, NOW)
    assert found.pause(["s1", "https://kv"], "a", NOW) >= MINUTE
    assert found.pause(["https://kv"], "a", NOW) == timedelta()
    assert found.pause(["s1"], "a", NOW + timedelta(hours=1)) == timedelta()


def test_few_writes_that_are_left_put_visits_off() -> None:
    found = Pressures()
    found.left("s1", 10**6, NOW)
    assert found.pause(["S1"], "a", NOW) == timedelta()
    found.left("s1", 0, NOW)
    assert found.pause(["S1"], "a", NOW) > timedelta()


def test_the_lot_differs_by_visit_and_by_second_and_is_the_same_in_every_process() -> None:
    found = Pressures()
    found.refused("s1", timedelta(hours=1), NOW)
    moments = [NOW + timedelta(seconds=seconds) for seconds in range(100)]
    waits = {who: [at + found.pause(["s1"], who, at) for at in moments] for who in ("a", "b")}
    ends = sorted(end - NOW - timedelta(hours=1) for end in (*waits["a"], *waits["b"]))
    assert timedelta() <= ends[0] < SPREAD / 10
    assert SPREAD * 9 / 10 < ends[-1] < SPREAD
    assert len(set(ends)) > 50
    assert waits["a"] != waits["b"]
    again = Pressures()
    again.refused("S1", timedelta(hours=1), NOW)
    assert NOW + again.pause(["s1"], "a", NOW) == waits["a"][0]
