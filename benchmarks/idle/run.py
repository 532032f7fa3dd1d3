"""Runs the fleet and the sweep, each in another process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from typing import Any

from emulator.demo.app import ROOT

from . import plan

SECRETS = 100_000

LIMITS = {"cpu_seconds": 30, "rss_mib": 200}


async def measured(secrets: int = SECRETS) -> dict[str, Any]:
    """Return the calls of one sweep of a fleet at rest, its CPU seconds and its size in MiB.

    Raises RuntimeError if the sweep was cut short or visited an account.
    """
    at = plan.now().isoformat()
    with tempfile.TemporaryDirectory() as directory:
        fleet = await _process({}, "benchmarks.idle.fleet", directory, str(secrets), at)
        try:
            environment = json.loads(await _line(fleet)) | plan.settings()
            sweep = await _process(environment, "benchmarks.idle.sweep", at)
            await _line(sweep)
            await _line(fleet, "count")
            found = json.loads(await _line(sweep, "sweep"))
            await sweep.wait()
            calls = json.loads(await _end(fleet))
        finally:
            if fleet.returncode is None:
                fleet.terminate()
            await fleet.wait()
    if found["stopped"] or found["problems"] or found["visits"]:
        raise RuntimeError(f"the fleet is not at rest: {found}")
    size = {name: found[name] for name in ("cpu_seconds", "rss_mib")}
    return {"secrets": secrets, **_counts(Counter(calls)), **size}


def _counts(calls: Counter[str]) -> dict[str, int]:
    return {
        "vault_pages": calls["keyvault.list_secrets"],
        "blob_pages": calls["storage.list_blobs"],
        "arm": sum(count for name, count in calls.items() if name.startswith("arm.")),
        "key_vault": calls["keyvault.get_secret"],
        "probes": sum(count for name, count in calls.items() if name.startswith("inference.")),
        "messages": calls["storage.put_message"],
        "journal_reads": calls["storage.get_blob"],
        "journal_writes": calls["storage.put_blob"],
    }


async def _process(environment: dict[str, str], module: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=PIPE,
        stdout=PIPE,
    )


async def _line(process: Process, given: str | None = None) -> bytes:
    """Write a line, if given, and return the next line of output."""
    assert process.stdin
    assert process.stdout
    if given is not None:
        process.stdin.write(f"{given}\n".encode())
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"a process has ended with {await process.wait()}")
    return line


async def _end(process: Process) -> bytes:
    """End its input, and return the next line of output."""
    assert process.stdin
    process.stdin.close()
    return await _line(process)


def over(found: dict[str, Any]) -> list[str]:
    """Return a line for each limit that the sweep went over."""
    return [
        f"idle: {name} is {found[name]}, more than {most}"
        for name, most in LIMITS.items()
        if found[name] > most
    ]


def lines(found: dict[str, Any]) -> list[str]:
    """Return the figures for people."""
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found.items())
    return [f"a sweep of a fleet at rest: {counts}"]
