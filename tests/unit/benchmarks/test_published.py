"""The page about scale shows what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pace import published
from benchmarks.pace.makespan import Makespan

SPAN = Makespan("1 subscription, 1 vault", 1000, 20, 325.4, 316.7, 1.027, 0.0, "arm writes")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "measured.json"
    path.write_text("[]")
    monkeypatch.setattr(published, "DATA", path)
    monkeypatch.setattr(published, "PICTURE", tmp_path / "scale.svg")
    return path


def test_the_page_has_the_row_of_each_measurement() -> None:
    page = published.PAGE.read_text()
    assert [m for m in published.load() if published.row(m) not in page] == []


def test_a_new_measurement_replaces_the_one_of_the_same_size(data: Path) -> None:
    published.add([SPAN, replace(SPAN, workers=5, seconds=900.0)])
    published.add([replace(SPAN, seconds=320.0)])
    assert [(m.workers, m.seconds) for m in published.load()] == [(5, 900.0), (20, 320.0)]


def test_a_row_has_the_limit_and_the_cost() -> None:
    assert published.row(replace(SPAN, throttled_share=0.0012)) == (
        "| 1 subscription, 1 vault | 1,000 | 20 | 325 s | 317 s | 1.03 | arm writes "
        "| 0.12% | $0.34 |"
    )


def test_the_picture_is_the_same_for_the_same_measurements(data: Path) -> None:
    spans = [SPAN, replace(SPAN, keys=10_000, seconds=3000.0)]
    published.draw(spans)
    first = published.PICTURE.read_text()
    published.draw(spans)
    assert published.PICTURE.read_text() == first
    assert first.startswith("<?xml")
