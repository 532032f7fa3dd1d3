"""Sweep a fleet at rest once, and print what that took as JSON.

python -m benchmarks.idle [SECRETS]
"""

from __future__ import annotations

import asyncio
import json
import sys

from .run import SECRETS, measured


def main() -> None:
    secrets = int(sys.argv[1]) if len(sys.argv) > 1 else SECRETS
    print(json.dumps(asyncio.run(measured(secrets))))


if __name__ == "__main__":
    main()
