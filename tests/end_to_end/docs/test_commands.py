"""A test runs every command of the documents, or NOT_RUN has the reason why not."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emulator.azure import Azure
from emulator.playground.environment import Environment
from emulator.playground.running import running
from scripts.tour.__main__ import DOCUMENTS, play

from .blocks import ROOT, Block, blocks
from .estate import estate
from .not_run import NOT_RUN
from .terminal import Terminal

FOLDERS = ("docs", "examples", "infra")
PAGES = sorted([*ROOT.glob("*.md"), *(p for name in FOLDERS for p in (ROOT / name).rglob("*.md"))])
# Each has a test that opens more than one terminal.
ELSEWHERE = {"docs/tutorial.md", "docs/emulator.md"}
BLOCKS = [
    block for page in PAGES for block in blocks(page, "bash") if block.document not in ELSEWHERE
]
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
_COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.M)
_UNTIL = re.compile(r"(?<=--until )\d{4}-\d\d-\d\d(?=T)")
_ID = re.compile(r"\b[0-9a-f]{16}-[0-9a-f]{12}\b")


def commands(text: str) -> list[str]:
    """Return the commands of a script; one may have several lines. Without comments."""
    found, command = [], ""
    for line in text.replace("\\\n", " ").splitlines():
        command = f"{command}\n{line}" if command else line
        if _is_complete(command):
            found.append(command.strip())
            command = ""
    return [command for command in found if command and not command.startswith("#")]


def _is_complete(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quotation goes on in the next line
        return False
    return True


def is_run(document: str, command: str) -> bool:
    """Return whether a test runs the command."""
    return not any(one.covers(document, command) for one in NOT_RUN)


def to_run(block: Block) -> list[str]:
    """Return the commands of a block that a test runs."""
    return [command for command in commands(block.text) if is_run(block.document, command)]


RUN = [block for block in BLOCKS if to_run(block)]


@pytest.fixture
async def terminal(azure: Azure) -> AsyncIterator[Terminal]:
    """A terminal that leads to the emulated Azure of the documents."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        async with running(azure, folder / "emulator") as (proxy, host):
            (folder / "found-key.txt").write_text(azure.account("my-ai").keys["Key1"])
            environment = Environment.of(proxy, host).variables
            own = {"PATH": PATH, "HOME": directory, "KEYROTATION_CONFIG": directory}
            yield Terminal(folder, {**environment, **own, "PYTHONPATH": str(ROOT)})


@pytest.fixture
def azure() -> Azure:
    return estate()


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=lambda block: block.place)
async def test_the_commands_of_a_block_succeed(block: Block, terminal: Terminal) -> None:
    status, printed = await asyncio.to_thread(terminal.paste, "\n".join(to_run(block)))
    assert status == 0, printed


def test_no_reason_is_left_over() -> None:
    shown = [(block.document, command) for block in BLOCKS for command in commands(block.text)]
    shown += [(page, command) for page in DOCUMENTS for command, _ in outcomes(page)]
    for one in NOT_RUN:
        assert any(one.covers(*pair) for pair in shown), f"nothing begins with {one.begins!r}"


def test_the_commands_are_found() -> None:
    assert len(BLOCKS) > 20
    assert {"README.md", "docs/cli.md", "docs/deploy.md"} <= {block.document for block in RUN}
    assert all(len(outcomes(page)) > 4 for page in DOCUMENTS)


def outcomes(page: str, text: str = "") -> list[tuple[str, int]]:
    """Return each command that a page shows with its output, and its exit status."""
    found = []
    for block in _CONSOLE.findall(text or (ROOT / page).read_text()):
        for command, printed in _COMMAND.findall(block):
            status = re.search(r"^\[exit status (\d+)\]$", printed, re.M)
            command = _UNTIL.sub("DATE", _ID.sub("ID", command))
            found.append((command, int(status[1]) if status else 0))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("page", DOCUMENTS)
async def test_the_commands_of_a_tour_end_as_the_page_shows(page: str, tmp_path: Path) -> None:
    text = await play((ROOT / page).read_text(), tmp_path)
    expected = [pair for pair in outcomes(page) if is_run(page, pair[0])]
    found = [pair for pair in outcomes(page, text) if is_run(page, pair[0])]
    assert found == expected, text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_other_page_shows_output_of_the_service(page: Path) -> None:
    name = str(page.relative_to(ROOT))
    shown = [command for command, _ in outcomes(name) if is_run(name, command)]
    assert name in DOCUMENTS or not shown
