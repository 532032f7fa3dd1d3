"""Settings: validated at once, each bad one named; and documented."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from rotation.domain.policy import ProbePolicy
from rotation.settings import environment as settings

ROOT = Path(__file__).parents[3]
MINIMAL = {"ROTATION_VAULTS": "https://kv-a.vault.azure.net/"}


def test_one_vault_is_all_that_is_required() -> None:
    loaded = settings.load(MINIMAL)
    assert loaded.vaults == ("https://kv-a.vault.azure.net",)
    assert loaded.policy.overlap == timedelta(hours=26)
    assert loaded.policy.probe is ProbePolicy.REQUIRE
    assert loaded.credential == "managed"


def test_commas_or_spaces_separate_vaults() -> None:
    loaded = settings.load(
        {"ROTATION_VAULTS": "https://a.vault.azure.net, https://B.vault.azure.cn"}
    )
    assert loaded.vaults == ("https://a.vault.azure.net", "https://b.vault.azure.cn")


def test_every_invalid_setting_is_named_with_its_remedy() -> None:
    bad = {
        "ROTATION_VAULTS": "kv-a",
        "ROTATION_OVERLAP": "a day",
        "ROTATION_PROBE": "maybe",
        "ROTATION_DAILY_CAP": "0",
        "ROTATION_CREDENTIAL": "password",
        "ROTATION_QUEUE": "No Good",
        "ROTATION_SWEEP_PERIOD": "PT1S",
    }
    with pytest.raises(settings.BadSettings) as caught:
        settings.load(bad)
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(bad)


def test_a_missing_vault_names_the_remedy() -> None:
    with pytest.raises(settings.BadSettings, match=r"ROTATION_VAULTS: required.*https://"):
        settings.load({})


def test_every_setting_is_in_the_readme_and_every_one_there_exists() -> None:
    source = (ROOT / "rotation/settings/environment.py").read_text() + (
        ROOT / "function_app.py"
    ).read_text()
    known = set(re.findall(r'"(ROTATION_[A-Z_]+)"', source))
    table = set(re.findall(r"^\| `(ROTATION_[A-Z_]+)`", (ROOT / "README.md").read_text(), re.M))
    assert known == table
