"""A small run of ``make load``: the shipped samples under rotations, faults and an emergency."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load.__main__ import run
from benchmarks.load.world import Size

SIZE = Size(consumers=30, accounts=3, rate=15.0, overlap=12, every=3.0, settled=2.0)


@pytest.mark.slow
async def test_only_the_control_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "load.png"
    found = await run(tmp_path, SIZE, picture)
    said = capsys.readouterr().out
    assert found.failed == 0, said
    assert found.control_failed > 0
    assert found.requests > 200
    assert found.first_401 > 0
    assert 0 < found.longest_staleness_seconds < SIZE.overlap
    assert picture.read_bytes().startswith(b"\x89PNG")
