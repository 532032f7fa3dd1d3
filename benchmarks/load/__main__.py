"""``python -m benchmarks.load``: exits with 0 if only the control failed."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, fields
from pathlib import Path

from . import plot
from .results import Figures, causes, figures
from .story import tell
from .world import Size, world


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description="Run consumers while keys rotate, things break, and a key leaks.",
        epilog="Ends with JSON. An emergency's failures are counted apart.",
    )
    for one in fields(Size):
        kind = type(one.default)
        parser.add_argument(f"--{one.name}", type=kind, default=one.default, metavar="N")
    parser.add_argument(
        "--plot", type=Path, default=Path(".cache/load.png"), help="the PNG to write"
    )
    arguments = vars(parser.parse_args())
    picture = arguments.pop("plot")
    with tempfile.TemporaryDirectory(prefix="rotation-load-") as directory:
        found = asyncio.run(run(Path(directory), Size(**arguments), picture))
    return 0 if found.passed else 1


async def run(directory: Path, size: Size, picture: Path) -> Figures:
    """Run the story, print the figures, and write the picture."""
    async with world(directory, size) as made:
        story = await tell(made, size)
    requests, published = made.requests(), made.published()
    found = figures(requests, made.consumers, published, story.emergencies)
    picture.parent.mkdir(parents=True, exist_ok=True)
    plot.draw(picture, requests, made.consumers, published, story)
    print(f"{size.consumers} consumers and a control, {found.requests} requests")
    print(f"first 401, then repeated: {found.first_401}")
    print(
        f"failed outside emergencies: {found.failed}, in the emergency: {found.failed_in_emergency}"
    )
    for cause, count in sorted(causes(requests, made.consumers).items()):
        print(f"  {count} {cause}")
    print(f"failed calls of the control: {found.control_failed}")
    print(f"longest use of an old version: {found.longest_staleness_seconds} s")
    print(f"versions over time: {picture}")
    print(json.dumps(asdict(found)))
    return found


if __name__ == "__main__":
    sys.exit(main())
