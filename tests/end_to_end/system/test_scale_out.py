"""Several worker processes share the work of one queue, and one that is killed loses none."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.workers.run import measure


@pytest.mark.azurite
@pytest.mark.slow
async def test_the_other_worker_ends_the_work_of_one_that_is_killed(
    azurite: str, tmp_path: Path
) -> None:
    found = await measure(azurite, tmp_path, workers=2, accounts=36, seconds=1.5, kill=True)
    assert all(found.shares), "both took part"
    assert found.unexplained == frozenset(), "only what was lost with the worker was done twice"
