"""The saved URL and scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotation.cli import saved
from rotation.cli.exit_status import CommandError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEYROTATION_CONFIG", str(tmp_path / "config"))
    return tmp_path


def test_a_value_is_kept_until_it_is_removed() -> None:
    assert saved.get("url") == ""
    saved.save("url", "https://my-app.azurewebsites.net")
    saved.save("scope", "api://my-app-id/.default")
    assert saved.get("url") == "https://my-app.azurewebsites.net"
    saved.save("url", "")
    assert saved.read() == {"scope": "api://my-app-id/.default"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "just-a-name"),
        ("url", "https://user:password@host"),
        ("url", "https://host/?code=secret"),
        ("scope", "just-an-id"),
        ("key", "secret"),
    ],
)
def test_nothing_else_is_saved_and_the_error_does_not_repeat_it(name: str, value: str) -> None:
    with pytest.raises(CommandError) as caught:
        saved.save(name, value)
    assert value not in f"{caught.value} {caught.value.remedy}"
    assert not saved.path().exists()


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\xff"])
def test_a_damaged_file_is_reported_with_its_path(content: str) -> None:
    saved.path().parent.mkdir()
    saved.path().write_text(content, encoding="latin-1")
    with pytest.raises(CommandError, match=str(saved.path())):
        saved.read()
