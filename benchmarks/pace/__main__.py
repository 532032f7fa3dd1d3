"""Measure the pace of a fleet: ``python -m benchmarks.pace [KEYS]``, with 1,000 keys by default."""

from __future__ import annotations

import json
import logging
import sys

from . import report

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    found = report.measured(int(sys.argv[1]) if sys.argv[1:] else report.KEYS)
    print(*report.lines(found), sep="\n")
    print(json.dumps(found))
