"""The parts of the emulated Azure, started as docs/emulator.md shows."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from .blocks import ROOT, blocks
from .checkout import Checkout
from .terminal import Terminal

FIRST, SECOND, THIRD = [block.text for block in blocks(ROOT / "docs/emulator.md", "bash")]


@pytest.mark.slow
def test_the_function_app_starts_in_a_second_terminal_and_the_command_line_uses_it(
    tmp_path: Path,
) -> None:
    checkout = Checkout(tmp_path)
    terminal = Terminal(checkout.directory, checkout.environment)
    with terminal.running(FIRST):
        end = time.monotonic() + 30
        while not (checkout.directory / "azure.env").exists() and time.monotonic() < end:
            time.sleep(0.1)
        with terminal.running(SECOND) as host:
            host.read("]}", 30)
            ready = json.loads(host.printed[host.printed.index("{") :])
            given = THIRD.replace("http://127.0.0.1:…", ready["url"])
            status, printed = terminal.paste(given.replace("=…", f"={ready['function_key']}"))
            host.interrupt()
            assert host.process.wait(20) in (0, 130), host.printed
    assert "sweep" in ready["functions"]
    assert status == 1, printed  # no sweep has run yet, as the command says
    assert "kv-demo/aoai-demo-key" in printed
