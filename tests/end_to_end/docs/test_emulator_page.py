"""The parts of the emulated Azure, started as docs/emulator.md shows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .blocks import ROOT, blocks
from .checkout import Checkout
from .terminal import Terminal

FIRST, SECOND = [block.text for block in blocks(ROOT / "docs/emulator.md", "bash")]


@pytest.mark.slow
def test_the_function_app_starts_in_a_second_terminal(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    terminal = Terminal(checkout.directory, checkout.environment)
    with terminal.running(FIRST):
        end = time.monotonic() + 30
        while not (checkout.directory / "azure.env").exists() and time.monotonic() < end:
            time.sleep(0.1)
        status, printed = terminal.paste(SECOND, until='"functions"')
    assert '"sweep"' in printed
    assert status in (0, 130), printed
