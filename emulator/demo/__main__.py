"""``python -m emulator.demo``: a rotation, a repair and an emergency; exits with 0 on success."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from .app import Failed
from .stage import Stage, stage
from .story import tell


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m emulator.demo",
        description="Rotate, repair and revoke a key while three apps use it (about 25 seconds).",
        epilog="Exits with 0 if every step happened and no request failed. "
        "In a pipe, the last line is JSON.",
    )
    parser.add_argument(
        "--storage",
        choices=("none", "azurite"),
        default="none",
        help="keep the journal in files (none, the default), or use queues and blobs in Azurite",
    )
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
        "Summary",
        [
            ("rotations", f"{result['rotations']} (one scheduled, one emergency)"),
            ("revoked keys", f"{result['revocations']} (a call with each was refused)"),
            ("repairs", f"{result['repairs']} (after a manual regeneration)"),
            ("requests of the apps", f"{result['consumer_requests']:,}"),
            ("failed requests", str(result["failed_requests"])),
            ("failed after the manual regeneration", str(result["outage_requests"])),
        ],
    )
    if not sys.stdout.isatty():
        print(json.dumps(result))
    good = result["failed_requests"] == 0 and result["consumer_requests"] > 100
    return 0 if good else 1


def _result(running: Stage, seconds: float) -> dict[str, float]:
    tally = running.tally
    return {
        "rotations": running.published_events("Rotated"),
        "revocations": running.published_events("Revoked"),
        "repairs": running.published_events("Repaired"),
        "consumer_requests": tally.requests,
        "failed_requests": tally.failed,
        "outage_requests": tally.outage,
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
