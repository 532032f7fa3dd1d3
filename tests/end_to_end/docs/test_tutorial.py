"""The tutorial: a reader who pastes its blocks ends with a rotated secret."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .blocks import ROOT, blocks
from .checkout import Checkout

FIRST, *SECOND = [block.text for block in blocks(ROOT / "docs/tutorial.md", "bash")]
MINUTES = 60.0


@contextmanager
def first_terminal(checkout: Checkout) -> Iterator[subprocess.Popen[str]]:
    """Paste the first block into a terminal, which is closed at the end."""
    process = subprocess.Popen(
        ["bash", "-c", FIRST],
        cwd=checkout.directory,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def second_terminal(checkout: Checkout) -> str:
    """Paste all other blocks into another terminal; return its output."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(SECOND)],
        cwd=checkout.directory,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=5 * MINUTES,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def introduction(process: subprocess.Popen[str]) -> str:
    """Return what the first terminal shows once everything runs."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "keyrotation status" in line:
            return "".join(lines)
    raise AssertionError(f"make emulator ended: {''.join(lines)}")


def state(environment: str) -> Any:
    """Return the state of the emulated Azure, with its keys."""
    found = re.search(r"^export HTTPS_PROXY=(\S+)$", environment, re.M)
    assert found
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{found[1]}/_emulator/state?reveal=keys", timeout=10) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_a_reader_who_pastes_the_tutorial_ends_with_a_rotated_secret(tmp_path: Path) -> None:
    began, checkout = time.monotonic(), Checkout(tmp_path)
    file = checkout.directory / ".cache/azure.env"
    with first_terminal(checkout) as process:
        shown = introduction(process)
        environment = file.read_text()
        before = state(environment)
        printed = second_terminal(checkout)
        after = state(environment)
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        process.wait(20)
    assert time.monotonic() - began < 5 * MINUTES

    versions = after["vaults"]["kv-demo"]["aoai-demo-key"]
    keys, old = after["accounts"]["aoai-demo"], before["accounts"]["aoai-demo"]
    assert not {*keys.values()} & {*old.values()}, "both keys are new"
    assert versions[-1]["value"] in keys.values()
    assert [version["enabled"] for version in versions] == [False, False, True]
    assert printed.count("Done: the old key is refused") == 2
    assert not any(version["value"] in printed + shown for version in versions)
    assert not file.exists(), "after Ctrl-C, the file would lead to closed ports"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
