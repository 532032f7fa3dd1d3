"""Bodies and times outside a body: absent, null, blank and wrong values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rotation.web.body_reader import HoldRequest, read_hold, read_time
from rotation.web.errors import BadRequest

END = datetime(2026, 12, 24, 18, tzinfo=UTC)
TEXT = "2026-12-24T18:00:00Z"


def hold(**fields: Any) -> HoldRequest:
    return read_hold(json.dumps({"reason": "release week", **fields}).encode())


class TestAHold:
    def test_is_placed_until_a_time_or_ended(self) -> None:
        assert hold(until=TEXT) == HoldRequest(END, "release week", dry_run=False)
        assert hold(off=True, dry_run=True) == HoldRequest(None, "release week", dry_run=True)

    @pytest.mark.parametrize("until", [None, "", "  ", 7])
    def test_never_ends_because_the_time_is_empty(self, until: Any) -> None:
        with pytest.raises(BadRequest, match="until: "):
            hold(until=until)

    @pytest.mark.parametrize("fields", [{}, {"until": TEXT, "off": True}, {"off": False}])
    def test_names_exactly_one_of_until_and_off(self, fields: dict[str, Any]) -> None:
        with pytest.raises(BadRequest, match="until: required, unless off is true"):
            hold(**fields)

    @pytest.mark.parametrize(
        "fields", [{"until": 7}, {"until": "soon"}, {"until": None}, {"off": 1}]
    )
    def test_a_bad_field_is_reported_once(self, fields: dict[str, Any]) -> None:
        with pytest.raises(BadRequest) as found:
            hold(**fields)
        assert len(found.value.problems) == 1

    def test_needs_a_time_zone(self) -> None:
        with pytest.raises(BadRequest, match="time zone"):
            hold(until="2026-12-24T18:00:00")


def test_null_is_refused_in_every_field() -> None:
    with pytest.raises(BadRequest, match="until: must not be null"):
        hold(until=None, off=True)


def test_a_time_outside_a_body_may_be_absent_but_not_blank() -> None:
    assert read_time("since", None) is None
    assert read_time("since", TEXT) == END
    for text in ("", " ", "yesterday"):
        with pytest.raises(BadRequest, match="since: "):
            read_time("since", text)
