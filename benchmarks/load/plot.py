"""A picture of the versions in use over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .plan import Consumer
from .results import Published, Request
from .story import Story

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown")
SPAN_COLOURS = {"writes throttled": "khaki", "throttled": "gold", "emergency": "tomato"}


def draw(
    path: Path,
    requests: Sequence[Request],
    consumers: Mapping[int, Consumer],
    published: Mapping[str, Sequence[Published]],
    story: Story,
) -> None:
    """Write a PNG: a row for each consumer, and a dot for each request in its version's colour."""
    start = requests[0].at
    rows = {number: row for row, number in enumerate(_order(consumers))}
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.add_subplot()
    _draw_story(axes, story, start)

    def dots(chosen: Sequence[Request], label: str, **style: Any) -> None:
        times = [one.at - start for one in chosen]
        axes.scatter(times, [rows[one.consumer] for one in chosen], label=label, **style)

    for index in range(max(map(len, published.values()))):
        chosen = [one for one in requests if _index(one, consumers, published) == index]
        dots(chosen, f"version {index + 1}", s=6, color=COLOURS[index % len(COLOURS)])
    dots([one for one in requests if one.failed], "failed", s=24, marker="x", color="black")
    axes.set(xlabel="seconds", ylabel="consumers, by secret and kind; the control is on top")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=110)


def _draw_story(axes: Axes, story: Story, start: float) -> None:
    """Draw spans as coloured areas, and moments as lines."""
    for name, span in story.spans:
        ends = span.begins - start, span.ends - start
        axes.axvspan(*ends, color=SPAN_COLOURS[name], alpha=0.3, label=name)
    above = axes.get_xaxis_transform()
    for name, moment in story.moments.items():
        axes.axvline(moment - start, color="grey", linestyle="--")
        axes.text(moment - start, 1.0, name, rotation=90, va="bottom", transform=above)


def _order(consumers: Mapping[int, Consumer]) -> list[int]:
    return sorted(
        consumers, key=lambda n: (not consumers[n].conforms, consumers[n].secret, consumers[n].kind)
    )


def _index(
    request: Request,
    consumers: Mapping[int, Consumer],
    published: Mapping[str, Sequence[Published]],
) -> int:
    versions = [one.version for one in published[consumers[request.consumer].secret]]
    return versions.index(request.version)
