"""Settings: validated at once, each bad one named; and documented."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from rotation.domain.cloud import US_GOVERNMENT
from rotation.domain.policy import ProbePolicy
from rotation.domain.probe_calls import CALLS
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
        {"ROTATION_VAULTS": "https://kv-a.vault.azure.net, https://KV-B.vault.azure.cn"}
    )
    assert loaded.vaults == ("https://kv-a.vault.azure.net", "https://kv-b.vault.azure.cn")


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
    source = (ROOT / "rotation/settings/environment.py").read_text()
    known = set(re.findall(r'"(ROTATION_[A-Z_]+)"', source))
    table = set(re.findall(r"^\| `(ROTATION_[A-Z_]+)`", (ROOT / "README.md").read_text(), re.M))
    assert known == table


SECRETS = (
    "https://kv.vault.azure.net/?sig=SuperSecretSas",
    "https://user:SuperSecretPassword@kv.vault.azure.net",
    "SuperSecretPassword",
    "AccountKey=SuperSecretKey==;EndpointSuffix=core.windows.net",
)


@pytest.mark.parametrize("value", SECRETS)
@pytest.mark.parametrize(
    "name",
    [
        "ROTATION_VAULTS",
        "ROTATION_ARM",
        "ROTATION_TOPIC",
        "ROTATION_OVERLAP",
        "ROTATION_PROBE",
        "ROTATION_DAILY_CAP",
        "ROTATION_QUEUE",
        "ROTATION_SCHEDULE",
        "ROTATION_CREDENTIAL",
        "AzureWebJobsStorage",
        "AzureWebJobsStorage__blobServiceUri",
    ],
)
def test_an_invalid_value_is_never_repeated(name: str, value: str) -> None:
    with pytest.raises(settings.BadSettings) as caught:
        settings.load(MINIMAL | {name: value})
    assert "Secret" not in str(caught.value).replace("my-vault", "")
    assert name.partition("__")[0] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://kv-a.vault.azure.net/secrets/ai-key/0123456789abcdef0123456789abcdef",
        "https://kv-a.vault.azure.net;https://kv-b.vault.azure.net",
        "https://hsm.managedhsm.azure.net",
        "https://evil.example/.vault.azure.net",
        "http://kv-a.vault.azure.net",
        "https://kv-a.vault.azure.net:8443",
        "kv-a",
    ],
)
def test_only_urls_of_vaults_are_vaults(text: str) -> None:
    with pytest.raises(settings.BadSettings, match="ROTATION_VAULTS: write one or more"):
        settings.load({"ROTATION_VAULTS": text})


@pytest.mark.parametrize("name", ["-ab", "ab-", "a--b", "ab", "A-B", "a_b", "a" * 64, "é" * 3])
def test_a_queue_has_a_name_that_azure_accepts(name: str) -> None:
    with pytest.raises(settings.BadSettings, match="ROTATION_QUEUE"):
        settings.load(MINIMAL | {"ROTATION_QUEUE": name})
    assert settings.triggers({"ROTATION_QUEUE": name})[0] == "rotation-work"


@pytest.mark.parametrize(
    "text", ["*/15 * * * *", "every day", "0 0 * * * * *", "%Schedule%", "0 0 * * * ;"]
)
def test_a_schedule_has_six_fields(text: str) -> None:
    with pytest.raises(settings.BadSettings, match="ROTATION_SCHEDULE"):
        settings.load(MINIMAL | {"ROTATION_SCHEDULE": text})
    assert settings.triggers({"ROTATION_SCHEDULE": text})[1] == "0 */15 * * * *"


def test_the_triggers_read_valid_settings() -> None:
    found = {
        "ROTATION_QUEUE": "my-queue",
        "ROTATION_SCHEDULE": "0 0 * * * MON-FRI",
        "ROTATION_EMERGENCY_QUEUE": "first-of-all",
    }
    assert settings.triggers(found) == ("my-queue", "0 0 * * * MON-FRI", "first-of-all")


def test_emergencies_have_their_own_queue() -> None:
    with pytest.raises(settings.BadSettings, match=r"ROTATION_EMERGENCY_QUEUE: .* other than"):
        settings.load(MINIMAL | {"ROTATION_EMERGENCY_QUEUE": "rotation-work"})


def test_a_misspelt_setting_is_a_warning_that_names_the_nearest() -> None:
    loaded = settings.load(MINIMAL | {"ROTATION_OVERLAPS": "P2D", "ROTATION_URL": "https://x"})
    assert loaded.warnings == ("ROTATION_OVERLAPS: not a setting; did you mean ROTATION_OVERLAP?",)


def test_the_cloud_decides_the_names_and_the_storage() -> None:
    loaded = settings.load(
        {
            "ROTATION_CLOUD": "USGovernment",
            "ROTATION_VAULTS": "https://kv-a.vault.usgovcloudapi.net",
            "AzureWebJobsStorage__accountName": "journal",
        }
    )
    assert loaded.cloud is US_GOVERNMENT
    assert loaded.storage is not None
    assert loaded.storage.queue_url == "https://journal.queue.core.usgovcloudapi.net"
    assert loaded.warnings == ()


def test_a_vault_of_another_cloud_is_a_warning() -> None:
    (warning,) = settings.load({"ROTATION_CLOUD": "china"} | MINIMAL).warnings
    assert "ROTATION_CLOUD" in warning
    assert "vault.azure.cn" in warning


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ROTATION_CLOUD", "s3cret", "write public or usgovernment or china"),
        ("ROTATION_DRILL_ACCOUNTS", "s3cret", "write the comma-separated resource ids"),
        ("ROTATION_PROBE_OVERRIDES", "OpenAI=s3cret", "entry 1 does not end with =PROBE"),
        ("ROTATION_PROBE_OVERRIDES", "s3 cret=token", "entry 1 does not begin with a kind"),
    ],
)
def test_a_wrong_cloud_or_probe_is_named_by_its_rule(name: str, value: str, says: str) -> None:
    with pytest.raises(settings.BadSettings) as caught:
        settings.load(MINIMAL | {name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: {says}")
    assert "s3" not in problem


def test_the_names_of_all_probes_are_in_the_message() -> None:
    with pytest.raises(settings.BadSettings) as caught:
        settings.load(MINIMAL | {"ROTATION_PROBE_OVERRIDES": "OpenAI=none"})
    assert all(name in str(caught.value) for name in CALLS)
