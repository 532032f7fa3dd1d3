"""``make audit`` must not pass in CI without an audit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def audit(folder: Path, ci: str = "", *, reachable: bool, audited: bool = True) -> int:
    """Run ``make audit`` with programs that only succeed or fail; return its exit status."""
    shutil.copy(ROOT / "Makefile", folder)
    programs = folder / ".tools/deploy/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name, succeeds in (("python", reachable), ("pip-audit", audited)):
        (programs / name).write_text(f"#!/bin/sh\nexit {0 if succeeds else 1}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["make", "--old-file", ".tools/deploy", "audit"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CI": ci},
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_result_of_an_audit_counts(tmp_path: Path, ci: str) -> None:
    assert audit(tmp_path, ci, reachable=True) == 0
    assert audit(tmp_path, ci, reachable=True, audited=False) != 0


def test_an_audit_that_could_not_run_fails_in_ci_only(tmp_path: Path) -> None:
    assert audit(tmp_path, reachable=False) == 0
    assert audit(tmp_path, "true", reachable=False) != 0
