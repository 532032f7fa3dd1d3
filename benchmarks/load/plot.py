"""A picture of the versions in use over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from .plan import Consumer
from .results import Published, Request
from .story import Story

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown")
SPAN_COLOURS = {"throttled": "gold", "emergency": "tomato"}


def draw(
    path: Path,
    requests: Sequence[Request],
    consumers: Mapping[int, Consumer],
    published: Mapping[str, Sequence[Published]],
    story: Story,
) -> None:
    """Write a PNG: a row for each consumer, and a dot for each request in its version's colour."""
    start = requests[0].at
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.add_subplot()
    for name, span in story.spans.items():
        axes.axvspan(
            span.begins - start, span.ends - start, color=SPAN_COLOURS[name], alpha=0.3, label=name
        )
    for name, moment in story.moments.items():
        axes.axvline(moment - start, color="grey", linestyle="--")
        axes.text(
            moment - start,
            1.0,
            name,
            rotation=90,
            va="bottom",
            transform=axes.get_xaxis_transform(),
        )
    rows = {number: row for row, number in enumerate(_order(consumers))}
    for index in range(max(map(len, published.values()))):
        chosen = [one for one in requests if _index(one, consumers, published) == index]
        axes.scatter(
            [one.at - start for one in chosen],
            [rows[one.consumer] for one in chosen],
            s=6,
            color=COLOURS[index % len(COLOURS)],
            label=f"version {index + 1}",
        )
    failed = [one for one in requests if one.failed]
    axes.scatter(
        [one.at - start for one in failed],
        [rows[one.consumer] for one in failed],
        s=24,
        marker="x",
        color="black",
        label="failed",
    )
    axes.set(xlabel="seconds", ylabel="consumers, by secret and kind; the control is on top")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=110)


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
