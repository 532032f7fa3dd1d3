"""The tutorial: a reader who pastes its blocks ends with a rotated secret."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .blocks import ROOT, blocks
from .checkout import Checkout
from .terminal import Terminal

FIRST, *SECOND = [block.text for block in blocks(ROOT / "docs/tutorial.md", "bash")]
LIMIT = 5 * 60.0


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
    terminal = Terminal(checkout.directory, checkout.environment)
    with terminal.running(FIRST) as first:
        first.read("keyrotation status", LIMIT)
        environment = file.read_text()
        before = state(environment)
        status, printed = terminal.paste("\n".join(SECOND), seconds=LIMIT)
        after = state(environment)
        first.interrupt()
        first.read("", 30)
        first.process.wait(30)
        assert not first.is_running()
    assert status == 0, printed
    assert time.monotonic() - began < LIMIT

    versions = after["vaults"]["kv-demo"]["aoai-demo-key"]
    keys, old = after["accounts"]["aoai-demo"], before["accounts"]["aoai-demo"]
    assert not {*keys.values()} & {*old.values()}, "both keys are new"
    assert versions[-1]["value"] in keys.values()
    assert [version["enabled"] for version in versions] == [False, False, True]
    assert printed.count("Done: the old key is refused") == 2
    assert not any(version["value"] in printed + first.printed for version in versions)
    assert not file.exists(), "after Ctrl-C, the file would lead to closed ports"
