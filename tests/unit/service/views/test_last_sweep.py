"""The last sweep, and the age of the last one that succeeded."""

from __future__ import annotations

import pytest

from rotation.engine.journal import LastSweep
from rotation.service.replies.fleet import LastSweepReply
from rotation.service.views import last_sweep

from .shown import HOUR, NOW

STOPPED = LastSweep(NOW, 7, ("a problem",), "no storage", NOW - HOUR)


def test_its_age_counts_from_the_last_that_succeeded() -> None:
    assert last_sweep.build(STOPPED, NOW) == LastSweepReply(
        at=NOW, age_seconds=3600, accounts=7, problems=["a problem"], stopped="no storage"
    )


@pytest.mark.parametrize(
    ("last", "age"),
    [(None, None), (LastSweep(NOW, 7), None), (LastSweep(NOW, 7, succeeded=NOW + HOUR), 0)],
)
def test_without_one_there_is_no_age_and_it_is_never_negative(
    last: LastSweep | None, age: int | None
) -> None:
    assert last_sweep.age(last, NOW) == age
    assert (last_sweep.build(last, NOW) is None) is (last is None)
