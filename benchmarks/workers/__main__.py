"""Compare 1, 2 and 4 worker processes: ``python -m benchmarks.workers [ACCOUNTS]``, by default 48.

Needs Azurite (``make azurite``). The times are those of this machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.azurite import running

from .run import Run, measure

# Seconds of a regenerate: more than in Azure, because all processes share this machine.
SECONDS = 10.0


def line(run: Run, first: Run) -> str:
    """Return one line of the table."""
    name = f"{run.workers} worker" + ("s" if run.workers > 1 else "")
    name += ", one killed halfway" if run.killed else ""
    return (
        f"{name}: {run.accounts} accounts in {run.seconds} s, "
        f"{run.accounts / run.seconds:.1f} a second, {first.seconds / run.seconds:.1f} times as "
        f"fast as one; regenerates by worker: {', '.join(map(str, run.shares))}; "
        f"{len(run.twice)} changed twice, {len(run.unexplained)} of them without a kill"
    )


async def _main(accounts: int) -> None:
    first = None
    for workers, kill in ((1, False), (2, False), (4, False), (4, True)):
        with tempfile.TemporaryDirectory() as name, running(Path(name) / "log") as azurite:
            run = await measure(azurite, Path(name), workers, accounts, SECONDS, kill=kill)
        first = first or run
        print(line(run, first), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if sys.argv[1:] else 48))
