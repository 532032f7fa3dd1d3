"""``python -m emulator.demo``: exits with 0 only if everything really happened."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from .app import Failed
from .story import Stage, stage, tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator.demo", description=__doc__)
    parser.add_argument("--storage", choices=("none", "azurite"), default="none")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rotation-demo-") as directory:
        try:
            return asyncio.run(_run(Path(directory), arguments.storage))
        except (Failed, FileNotFoundError) as exc:
            log = Path(directory) / "host.log"
            tail = log.read_text().splitlines()[-15:] if log.exists() else []
            print("\n".join([*tail, f"The demo failed: {exc}"]), file=sys.stderr)
            return 1


async def _run(directory: Path, storage: str) -> int:
    began = time.monotonic()
    async with stage(directory, storage) as running:
        await tell(running)
        result = _result(running, time.monotonic() - began)
    running.screen.finish(
        "What happened",
        [
            ("rotations", f"{result['rotations']} (one scheduled, one emergency)"),
            ("revocations", f"{result['revocations']}, each proven by a refused call"),
            ("repairs", f"{result['repairs']}, after somebody regenerated the live key by hand"),
            ("requests of consumers", f"{result['consumer_requests']:,}"),
            ("of them failed", str(result["failed_requests"])),
            ("failed while the key was broken by hand", str(result["outage_requests"])),
        ],
    )
    print(json.dumps(result))
    good = result["failed_requests"] == 0 and result["consumer_requests"] > 100
    return 0 if good else 1


def _result(running: Stage, seconds: float) -> dict[str, float]:
    tally = running.tally
    return {
        "rotations": running.told("Rotated"),
        "revocations": running.told("Revoked"),
        "repairs": running.told("Repaired"),
        "consumer_requests": tally.requests,
        "failed_requests": tally.failed,
        "outage_requests": tally.outage,
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
