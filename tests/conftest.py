"""Checks for every test: exchanges follow the contract, and no key leaves the emulator."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from emulator.azure import Azure
from emulator.core import contract
from rotation.runtime.log import LINES
from tests.azurite import azurite

__all__ = ["azurite"]

# The same examples on every run, so that a failure is caused by the change under test.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")
# For `make mutants`: a mutant shall fail soon, and no failure is explained.
settings.register_profile(
    "few",
    derandomize=True,
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
# As rotation.runtime.log writes them: a name, and JSON, at the end of a line.
_LOG_LINE = re.compile(r"^([a-z][a-z ]+) \{(\".*\}|\})$", re.M)
_azures: list[Azure] = []
_original = Azure.__init__


def _tracked(self: Azure, *args: object, **kwargs: object) -> None:
    _original(self, *args, **kwargs)  # type: ignore[arg-type]
    self.exchanges.append(contract.check)
    _azures.append(self)


Azure.__init__ = _tracked  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick tests first and slow ones last."""
    items.sort(key=_length)


def _length(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    quick = ("unit", "compatibility", "infra", "integration", "simulation")
    return 99 if item.get_closest_marker("slow") or folder not in quick else quick.index(folder)


@pytest.fixture(autouse=True)
def no_key_leaves(request: pytest.FixtureRequest) -> Iterator[None]:
    """Search logs at DEBUG, events, tags and the test's files for keys after each test."""
    _azures.clear()
    directory = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    with _debug_log() as log:
        yield
    found = leaks(log.getvalue(), directory)
    _azures.clear()
    assert not found, f"key material in {found}"
    assert not unlisted(log.getvalue()), "add it to runtime.log.LINES"


def unlisted(log: str) -> list[str]:
    """Return the log lines and members that are missing in runtime.log.LINES."""
    found = []
    for name, text in _LOG_LINE.findall(log):
        known = LINES.get(name)
        members = json.loads("{" + text)
        if known is None or not set(members) <= set(known):
            found.append(f"{name}: {sorted(set(members) - set(known or ()))}")
    return found


def leaks(log: str, directory: Path | None) -> list[str]:
    """Return the places where a key of one of this test's emulators was found."""
    keys = {key for azure in _azures for key in azure.issued_keys()}
    produced = list(_produced(log, directory))
    return [where for where, text in produced if any(key in text for key in keys)]


@contextmanager
def _debug_log() -> Iterator[io.StringIO]:
    """Collect everything that is logged, at DEBUG, with tracebacks."""
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    azure = logging.getLogger("azure")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    azure.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _produced(log: str, directory: Path | None) -> Iterator[tuple[str, str]]:
    yield "the log", log
    for azure in _azures:
        yield "an event", repr(azure.topics.received)
        tags = [
            version.tags
            for vault in azure.keyvault.vaults.values()
            for secret in vault.secrets.values()
            for version in secret.versions
        ]
        yield "a tag", repr(tags)
    for path in directory.rglob("*") if directory else ():
        if path.is_file():
            yield f"the file {path.name}", path.read_text(errors="replace")
