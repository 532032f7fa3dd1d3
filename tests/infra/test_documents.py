"""Every command of the Azure CLI in documents, scripts and Bicep exists.

``az_options.json`` has the options of azure-cli 2.91, without deprecated ones. For another command,
copy its options from ``az COMMAND --help``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .bicep import INFRA, ROOT

OPTIONS = json.loads(Path(__file__).with_name("az_options.json").read_text())
COMMON = {"--output", "--query", "--subscription"}
FILES = [
    ROOT / "README.md",
    *(ROOT / "docs").rglob("*.md"),
    *(path for path in (ROOT / "examples").rglob("*") if path.suffix in {".md", ".sh"}),
    *(path for path in INFRA.rglob("*") if path.suffix in {".md", ".sh", ".txt", ".bicep"}),
]
_END = re.compile(r"[\n`|;)]|&&|\$\(")
_COMMAND = re.compile(r".*?\baz ((?:[a-z][a-z-]*(?: |$))+)(.*)")


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each az command in a text, with its options."""
    for part in _END.split(text.replace("\\\n", " ")):
        found = _COMMAND.match(part)
        if found:
            yield found[1].strip(), re.findall(r"(?<!\S)--[a-z][\w-]*", found[2])


def faults(text: str) -> Iterator[str]:
    """Yield each command that the Azure CLI does not have, and each option."""
    for command, options in commands(text):
        if command not in OPTIONS:
            yield f"az {command}"
        else:
            known = {*OPTIONS[command], *COMMON}
            yield from (f"az {command} {option}" for option in options if option not in known)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_az_commands_exist(path: Path) -> None:
    assert list(faults(path.read_text())) == []


def test_az_commands_are_found() -> None:
    assert sum(len(list(commands(path.read_text()))) for path in FILES) > 30


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("`az grp delete --name x`", "az grp delete"),
        ("id=$(az ad app create --display-name x --set a=b)", "az ad app create --set"),
        ("az eventgrid system-topic update \\\n  --identity systemassigned", "--identity"),
    ],
)
def test_a_wrong_command_is_found(text: str, says: str) -> None:
    assert any(says in fault for fault in faults(text))


def test_the_consumer_has_an_azure_cli_that_can_choose_an_identity() -> None:
    """``az login --identity --client-id`` needs azure-cli 2.76."""
    image = re.search(
        r"azure-cli:2\.(\d+)\.", (ROOT / "examples/playground/consumer.bicep").read_text()
    )
    assert image
    assert int(image[1]) >= 76


def test_the_playground_can_be_deployed_again() -> None:
    """A vault with purge protection keeps its name for 90 days after it was deleted."""
    assert "enablePurgeProtection" not in (ROOT / "examples/playground/estate.bicep").read_text()
