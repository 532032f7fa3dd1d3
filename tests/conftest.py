"""No key that the emulator ever issued may be in anything that the suite produces."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.azure import Azure

_azures: list[Azure] = []
_original = Azure.__init__


def _tracked(self: Azure, *args: object, **kwargs: object) -> None:
    _original(self, *args, **kwargs)  # type: ignore[arg-type]
    _azures.append(self)


Azure.__init__ = _tracked  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def no_key_leaves(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Logs at DEBUG, events, tags and every file that the test wrote are searched afterwards."""
    _azures.clear()
    directory = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    with caplog.at_level(logging.DEBUG):
        yield
    keys = {key for azure in _azures for key in azure.issued_keys()}
    produced = dict(_produced(caplog, directory))
    found = [where for where, text in produced.items() for key in keys if key in text]
    _azures.clear()
    assert not found, f"key material in {found}"


def _produced(
    caplog: pytest.LogCaptureFixture, directory: Path | None
) -> Iterator[tuple[str, str]]:
    yield "the log", caplog.text
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
