"""The operator's commands in a sovereign cloud, under its own host names."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from emulator.azure import Azure
from emulator.core.clouds import CHINA, US_GOVERNMENT, Cloud
from rotation.cli.exit_status import ExitStatus

from .conftest import Run

CLOUDS = pytest.mark.parametrize(
    ("name", "cloud"), [("usgovernment", US_GOVERNMENT), ("china", CHINA)]
)


@pytest.fixture(autouse=True)
def elsewhere(
    run: Run, azure: Azure, name: str, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Add a vault and two accounts of the cloud, and configure it after ``run``."""
    vault = azure.add_vault("kv-far", suffix=cloud.vaults)
    azure.add_account("multi-far", "CognitiveServices", cloud=cloud.accounts)
    azure.add_account("text-far", "TextTranslation", cloud=cloud.accounts, custom_domain=False)
    identity = azure.identity.principals[0]
    identity.assign("Secret publisher", vault.id)
    identity.assign("Reader", "/")
    identity.assign("Key rotator", "/")
    monkeypatch.setenv("ROTATION_CLOUD", name)
    monkeypatch.setenv("ROTATION_VAULTS", vault.url)


@CLOUDS
def test_an_account_is_found_enrolled_checked_and_rotated(
    run: Run, azure: Azure, cloud: Cloud
) -> None:
    before = len(azure.calls)
    found = run("discover", "--json")
    assert {one["account"].rpartition("/")[2] for one in found.json["accounts"]} == {
        "multi-far",
        "text-far",
    }
    enrolled = run("enrol", "*-far", "--in-use", "key1", "--yes")
    assert enrolled.status == ExitStatus.OK, enrolled.err
    assert "cannot be verified" not in enrolled.out
    findings = run("doctor", "--direct", "--json").json["findings"]
    assert not [one for one in findings if one["state"] == "failed"]
    assert {f["state"] for f in findings if f["check"] == "proof"} == {"ok"}
    old = azure.account("text-far").keys["Key1"]
    reason = ("--reason", "moved")
    rotated = run("rotate", "kv-far/text-far-key", *reason, "--direct")
    assert rotated.status == ExitStatus.OK, rotated.err
    assert azure.secret("kv-far", "text-far-key").current.value != old
    hosts = {urlsplit(call.url).hostname for call in azure.calls[before:]}
    assert hosts <= {
        "127.0.0.1",
        "localhost",
        cloud.arm,
        cloud.translator,
        f"kv-far.{cloud.vaults}",
        f"multi-far.cognitiveservices.{cloud.accounts}",
    }
