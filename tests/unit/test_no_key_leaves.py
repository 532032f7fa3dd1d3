"""The search for key material, which runs after every test, finds a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.azure import virtual
from tests.conftest import leaks


@pytest.mark.parametrize("slot", ["Key1", "Key2"])
def test_a_key_in_the_log_or_in_a_file_is_found(slot: str, tmp_path: Path) -> None:
    azure = virtual()
    key = azure.add_account("aoai-demo").keys[slot]
    azure.regenerate_by_hand("aoai-demo", slot)
    assert leaks(f"… {key} …", None) == ["the log"], "a former key counts too"
    file = tmp_path / "journal.json"
    file.write_text(f'{{"x": "{key}"}}')
    assert leaks("", tmp_path) == ["the file journal.json"]
    file.unlink()
    assert leaks("nothing", tmp_path) == []


def test_a_key_in_a_tag_is_found() -> None:
    azure = virtual()
    azure.add_vault("kv-demo")
    key = azure.add_account("aoai-demo").keys["Key1"]
    azure.add_secret("kv-demo", "ai-key", value="x", tags={"note": key})
    assert leaks("", None) == ["a tag"]
    azure.secret("kv-demo", "ai-key").current.tags = {}
