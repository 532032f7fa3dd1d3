"""Runs jobs on all cores."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from .jobs import Job
from .tally import Tally

CORES = os.cpu_count() or 1
SELDOM = (50_000, 20, 20)  # thresholds of the garbage collector


def run_jobs(jobs: Iterable[Job]) -> tuple[Tally, float]:
    """Return the tally of all jobs, and how many seconds they took."""
    began, tally = time.perf_counter(), Tally()
    with ProcessPoolExecutor(CORES, initializer=prepare_process) as pool:
        for found in pool.map(_run, jobs, chunksize=1):
            tally.add(found)
            _show_progress(tally)
    return tally, time.perf_counter() - began


def prepare_process() -> None:
    """Write no logs, and collect garbage seldom."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(*SELDOM)


def _run(job: Job) -> Tally:
    return job.run()


def _show_progress(tally: Tally) -> None:
    if sys.stderr.isatty():
        broken = f", {len(tally.violations)} violations" if tally.violations else ""
        print(f"\r{tally.runs} runs{broken} ", end="\r", file=sys.stderr, flush=True)
