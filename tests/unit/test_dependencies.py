"""Every deployed package is pinned, with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WANTED = (ROOT / "requirements.in").read_text()
LOCK = (ROOT / "requirements.txt").read_text()
_PINNED = re.compile(r"^([a-z0-9-]+)==([\w.]+)(?: ?; ?(.+?))?(?: \\)?$", re.M)


def pins(text: str) -> dict[tuple[str, str], str]:
    """Return the versions by name and by the Python version of the marker."""
    return {(name, _python(marker)): version for name, version, marker in _PINNED.findall(text)}


def _python(marker: str) -> str:
    found = re.search(r"python(?:_full)?_version (\S+) ['\"]([\d.]+)", marker)
    return " ".join(found.groups()) if found else ""


def test_the_lock_file_has_every_requirement_at_the_same_version() -> None:
    asked = pins(WANTED)
    assert len(asked) == len([line for line in WANTED.splitlines() if line[:1] not in ("#", "")])
    assert asked.items() <= pins(LOCK).items(), "run make lock"


def test_every_package_of_the_lock_file_has_hashes() -> None:
    entries = re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", LOCK, flags=re.M).strip())
    assert len(entries) > 30
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_azure_sdks_are_among_the_requirements() -> None:
    names = {name for name, _ in pins(WANTED)}
    assert names >= {
        "azure-functions",
        "azure-identity",
        "azure-keyvault-secrets",
        "azure-mgmt-cognitiveservices",
        "azure-eventgrid",
    }


def test_tools_of_operators_and_developers_are_not_deployed() -> None:
    names = {name for name, _ in pins(LOCK)}
    assert names.isdisjoint({"typer", "rich", "pytest", "hypothesis", "playwright", "pycep-parser"})
