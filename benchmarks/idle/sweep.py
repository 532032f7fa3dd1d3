"""One sweep in its own process, as the function app runs it.

    python -m benchmarks.idle.sweep TIME

Prints a line once it is ready, and waits for one. Then it sweeps, and prints the result, the
seconds of CPU since the process began, and its largest size.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from datetime import datetime

from rotation.bootstrap.assembly import assemble
from rotation.bootstrap.clients import Clients, azure_credential, storage
from rotation.runtime.clock import Clock
from rotation.settings import environment


async def _unused(message: str) -> None:
    raise RuntimeError(f"a message in this process: {message}")


async def main(now: datetime) -> None:
    """Sweep once."""
    settings = environment.load(os.environ)
    credential = azure_credential(settings)
    store, queue, urgent = storage(settings, credential, _unused, _unused)
    service = assemble(Clients(settings, credential, Clock(lambda: now)), store, queue, urgent)
    # The first process of a deployment stores them.
    await service.triggers.sweeper.bindings.current()
    print(flush=True)
    sys.stdin.readline()
    result = await service.triggers.sweep()
    await service.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "stopped": result.stopped,
        "problems": len(result.problems),
        "visits": result.accounts,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "rss_mib": round(used.ru_maxrss / 1024, 1),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(datetime.fromisoformat(sys.argv[1])))
