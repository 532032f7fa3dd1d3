"""The Bicep compiler: ``make infra`` names it in ``BICEP``; otherwise the one on the PATH."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
FILES = sorted([*INFRA.rglob("*.bicep"), *(ROOT / "examples").rglob("*.bicep")])
COMPILER = os.environ.get("BICEP") or shutil.which("bicep")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="the Bicep compiler is not installed")

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_SCOPE = [
    *("--tenant-id", "99999999-9999-9999-9999-999999999999"),
    *("--subscription-id", SUBSCRIPTION),
    *("--location", "westeurope"),
    *("--deployment-name", "test"),
]


def bicep(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the compiler."""
    command = [COMPILER or "bicep", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def snapshot(parameters: Path, mode: str) -> subprocess.CompletedProcess[str]:
    """Evaluate a deployment without Azure. ``mode`` is overwrite or validate."""
    return bicep("snapshot", parameters, "--mode", mode, *_SCOPE)


@functools.cache
def compiled(path: Path) -> dict[str, Any]:
    """Return the compiled template of a file, with its modules inside."""
    done = bicep("build", path, "--stdout")
    assert done.returncode == 0, done.stderr
    template: dict[str, Any] = json.loads(done.stdout)
    return template
