"""Each setting has its own place, its default and its limits."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from rotation.domain.cloud import PUBLIC
from rotation.domain.evidence import EvidencePolicy
from rotation.domain.formats import Format, Formats
from rotation.domain.ids import AccountId
from rotation.domain.policy import Policy, ProbePolicy
from rotation.domain.probe_calls import CALLS
from rotation.settings import environment as settings
from rotation.settings.environment import BadSettings, Settings

MINIMAL = {"ROTATION_VAULTS": "https://kv-a.vault.azure.net"}
ACCOUNT, OTHER = AccountId("s", "g", "acct"), AccountId("s", "g", "other")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

DURATIONS = {
    "ROTATION_OVERLAP": "overlap",
    "ROTATION_MINIMUM_INTERVAL": "minimum_interval",
    "ROTATION_LEAD": "lead",
    "ROTATION_MIN_OVERLAP": "minimum_overlap",
    "ROTATION_SPREAD": "spread",
    "ROTATION_SETTLE": "settle",
    "ROTATION_PROBE_SPAN": "probe_span",
    "ROTATION_PATIENCE": "patience",
    "ROTATION_EMERGENCY_PATIENCE": "emergency_patience",
    "ROTATION_EVIDENCE_DEADLINE": "evidence_deadline",
}


def load(**values: str) -> Settings:
    return settings.load(MINIMAL | values)


def problems(**values: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(**values)
    return [problem.partition(":")[0] for problem in caught.value.problems]


@pytest.mark.parametrize(("name", "member"), DURATIONS.items())
def test_a_duration_of_the_policy_changes_only_its_own_member(name: str, member: str) -> None:
    found = load(**{name: "PT7M"}).policy
    usual = Policy()
    differ = [one for one in Policy.__annotations__ if getattr(found, one) != getattr(usual, one)]
    assert differ == [member]
    assert getattr(found, member) == 7 * MINUTE


def test_without_a_setting_each_value_has_its_default() -> None:
    found = load()
    assert found == Settings(
        vaults=("https://kv-a.vault.azure.net",),
        policy=Policy(),
        period=15 * MINUTE,
        rate=4.0,
        credential="managed",
        client_id=None,
        cloud=PUBLIC,
        topic=None,
        logs_workspace=None,
        evidence_ignore=frozenset(),
        journal_directory=".state",
        bindings="",
        formats=Formats(),
        probe_overrides={},
        drill_accounts=frozenset(),
        journal_container="rotation-journal",
        queue_name="rotation-work",
        emergency_queue="rotation-emergencies",
        schedule="0 */15 * * * *",
        storage=None,
    )


@pytest.mark.parametrize(
    ("name", "text", "member", "expected"),
    [
        ("ROTATION_SWEEP_PERIOD", "PT1M", "period", MINUTE),
        ("ROTATION_SWEEP_RATE", "7", "rate", 7.0),
        ("ROTATION_CREDENTIAL", "Developer", "credential", "developer"),
        ("ROTATION_CLIENT_ID", "id", "client_id", "id"),
        ("AZURE_CLIENT_ID", "id", "client_id", "id"),
        ("ROTATION_TOPIC", "https://T.example/api/", "topic", "https://t.example/api"),
        ("ROTATION_SCHEDULE", "0 0 * * * MON", "schedule", "0 0 * * * MON"),
        ("ROTATION_EVIDENCE_IGNORE", "A, b,,c", "evidence_ignore", {"a", "b", "c"}),
        ("ROTATION_JOURNAL", "/tmp/x", "journal_directory", "/tmp/x"),
        ("ROTATION_BINDINGS", "any text", "bindings", "any text"),
        ("ROTATION_FORMATS", '{"a": "K={key}"}', "formats", Formats({"a": Format("K={key}")})),
        ("ROTATION_PROBE_OVERRIDES", "x=token", "probe_overrides", {"x": CALLS["token"]}),
        ("ROTATION_JOURNAL_CONTAINER", "my-journal", "journal_container", "my-journal"),
        ("ROTATION_DRILL_ACCOUNTS", f"{ACCOUNT}, {OTHER}", "drill_accounts", {ACCOUNT, OTHER}),
        ("ROTATION_DRILL_ACCOUNTS", f"{ACCOUNT}, ", "drill_accounts", {ACCOUNT}),
        ("ROTATION_QUEUE", "a1-b", "queue_name", "a1-b"),
        ("ROTATION_EMERGENCY_QUEUE", "a1-b", "emergency_queue", "a1-b"),
        ("ROTATION_SCHEDULE", "0 0 * * * *", "schedule", "0 0 * * * *"),
    ],
)
def test_each_setting_has_its_own_place(name: str, text: str, member: str, expected: Any) -> None:
    found, usual = load(**{name: text}), load()
    assert getattr(found, member) == expected
    differ = [one for one in Settings.__annotations__ if getattr(found, one) != getattr(usual, one)]
    assert differ == [member]


def test_the_services_own_client_id_wins() -> None:
    assert load(ROTATION_CLIENT_ID="ours", AZURE_CLIENT_ID="theirs").client_id == "ours"


@pytest.mark.parametrize(
    ("name", "member", "least", "most"),
    [
        ("ROTATION_PROBE_SUCCESSES", "probe_successes", 1, 20),
        ("ROTATION_DAILY_CAP", "daily_cap", 2, 100),
    ],
)
def test_a_number_is_kept_within_its_limits(name: str, member: str, least: int, most: int) -> None:
    for number in (least, most):
        assert getattr(load(**{name: str(number)}).policy, member) == number
        assert getattr(load(**{name: f"{number:09}"}).policy, member) == number
    for text in (least - 1, most + 1, "x", "1.5", "٣", "+5", "0_5", "0000000005", "9" * 5000):
        assert problems(**{name: str(text)}) == [name]


def test_the_rate_of_a_sweep_is_kept_within_its_limits() -> None:
    assert [load(ROTATION_SWEEP_RATE=text).rate for text in ("1", "100")] == [1.0, 100.0]
    for text in ("0", "101"):
        assert problems(ROTATION_SWEEP_RATE=text) == ["ROTATION_SWEEP_RATE"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ROTATION_SWEEP_PERIOD", "PT1M", "PT59S"),
        ("ROTATION_EMERGENCY_PATIENCE", "PT15M", "PT15M1S"),
    ],
)
def test_a_period_has_a_limit(name: str, good: str, bad: str) -> None:
    assert load(**{name: good}).warnings == ()
    assert problems(**{name: bad}) == [name]


@pytest.mark.parametrize(("text", "policy"), [("accept", ProbePolicy.ACCEPT), ("Require", None)])
def test_an_inconclusive_probe_is_accepted_only_if_asked_for(
    text: str, policy: ProbePolicy | None
) -> None:
    assert load(ROTATION_PROBE=text).policy.probe is (policy or ProbePolicy.REQUIRE)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("https://t.example", True),
        ("https://t.example:8443/a", True),
        ("http://t.example", False),
        ("https://", False),
        ("https://t.example?sig=x", False),
        ("https://user@t.example", False),
        ("https://t.example:1", True),
        ("https://t.example:0", False),
        ("https://t.example:x", False),
        ("https://[", False),
    ],
)
def test_an_address_is_an_https_url_without_a_query(text: str, is_valid: bool) -> None:
    if is_valid:
        assert load(ROTATION_TOPIC=text).topic == text
    else:
        assert problems(ROTATION_TOPIC=text) == ["ROTATION_TOPIC"]


@pytest.mark.parametrize(("name", "is_valid"), [("abc", True), ("a" * 63, True), ("a" * 64, False)])
def test_a_container_has_a_name_that_azure_accepts(name: str, is_valid: bool) -> None:
    if is_valid:
        assert load(ROTATION_JOURNAL_CONTAINER=name).journal_container == name
    else:
        assert problems(ROTATION_JOURNAL_CONTAINER=name) == ["ROTATION_JOURNAL_CONTAINER"]


@pytest.mark.parametrize("size", [63, 64])
def test_a_name_with_hyphens_has_at_most_63_characters(size: int) -> None:
    name = ("a-" * 40)[: size - 1] + "b"
    assert (settings.triggers({"ROTATION_QUEUE": name})[0] == name) is (size == 63)


def test_a_vault_is_listed_once_and_in_order() -> None:
    text = "https://kv-b.vault.azure.net,https://kv-a.vault.azure.net https://KV-B.vault.azure.net/"
    found = settings.load({"ROTATION_VAULTS": text}).vaults
    assert found == ("https://kv-b.vault.azure.net", "https://kv-a.vault.azure.net")


def test_settings_that_nothing_reads_are_warned_about_in_order() -> None:
    found = load(ROTATION_ZZZZZZZ="1", ROTATION_OVERLAPP="P2D", OTHER="x", ROTATION_SCOPE="x")
    assert [re.split(r"[:;]", warning)[0] for warning in found.warnings] == [
        "ROTATION_OVERLAPP",
        "ROTATION_ZZZZZZZ",
    ]
    assert found.warnings[0].endswith("did you mean ROTATION_OVERLAP?")
    far = "ROTATION_" + "Z" * 40
    assert load(**{far: "1"}).warnings == (f"{far}: not a setting",)


def test_every_problem_is_in_the_message() -> None:
    with pytest.raises(BadSettings) as caught:
        load(ROTATION_DAILY_CAP="1", ROTATION_PROBE="x", AzureWebJobsStorage__accountName="?")
    assert len(caught.value.problems) == 3
    assert all(problem in str(caught.value) for problem in caught.value.problems)


SITE = {"WEBSITE_SITE_NAME": "site"}


@pytest.mark.parametrize(
    ("environment", "platform", "keys"),
    [
        ({}, False, True),
        (SITE, False, False),
        (SITE | {"WEBSITE_AUTH_ENABLED": " True "}, True, False),
        (SITE | {"WEBSITE_AUTH_ENABLED": "false"}, False, False),
        (SITE | {"WEBSITE_AUTH_ENABLED": "1"}, False, False),
        (SITE | {settings.FUNCTION_KEYS: " TRUE "}, False, True),
        (SITE | {settings.FUNCTION_KEYS: "false"}, False, False),
        (SITE | {settings.FUNCTION_KEYS: "yes"}, False, False),
        ({settings.FUNCTION_KEYS: "false"}, False, False),
        ({settings.FUNCTION_KEYS: "yes"}, False, False),
        ({settings.FUNCTION_KEYS: "true"}, False, True),
        ({settings.FUNCTION_KEYS: " "}, False, True),
    ],
)
def test_function_keys_are_accepted_locally_or_if_asked_for(
    environment: dict[str, str], platform: bool, keys: bool
) -> None:
    assert settings.access(environment) == (platform, keys)


def test_a_wrong_answer_about_function_keys_is_a_problem() -> None:
    assert problems(ROTATION_FUNCTION_KEYS="yes") == ["ROTATION_FUNCTION_KEYS"]
    assert load(ROTATION_FUNCTION_KEYS="False").warnings == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "off"),
        ({"ROTATION_LOGS_WORKSPACE": "w"}, "require"),
        ({"ROTATION_LOGS_WORKSPACE": "w", "ROTATION_EVIDENCE": "warn"}, "warn"),
        ({"ROTATION_LOGS_WORKSPACE": "w", "ROTATION_EVIDENCE": "off"}, "off"),
        ({"ROTATION_EVIDENCE": "off"}, "off"),
    ],
)
def test_audit_logs_are_evidence_if_there_are_any(values: dict[str, str], expected: str) -> None:
    loaded = load(**values)
    assert loaded.policy.evidence == expected
    assert loaded.logs_workspace == values.get("ROTATION_LOGS_WORKSPACE")


@pytest.mark.parametrize("policy", ["warn", "require"])
def test_evidence_needs_audit_logs(policy: str) -> None:
    assert problems(ROTATION_EVIDENCE=policy) == ["ROTATION_EVIDENCE"]


CONSUMER = "shop@kv-a=https://shop.contoso.com/key"


def test_consumers_that_can_be_asked_make_evidence_required_unless_it_says_otherwise() -> None:
    assert load(ROTATION_CONSUMERS=CONSUMER).policy.evidence is EvidencePolicy.REQUIRE
    asked = load(ROTATION_CONSUMERS=CONSUMER, ROTATION_EVIDENCE="warn").policy
    assert asked.evidence is EvidencePolicy.WARN
    assert asked.consumers.have_checks
    site = "shop@kv-a=/subscriptions/s/resourceGroups/r/providers/Microsoft.Web/sites/shop"
    assert load(ROTATION_CONSUMERS=site).policy.evidence is EvidencePolicy.OFF
    assert problems(ROTATION_CONSUMERS=site, ROTATION_EVIDENCE="warn") == ["ROTATION_EVIDENCE"]
    assert problems(ROTATION_CONSUMERS="shop@kv-other=api://shop") == ["ROTATION_CONSUMERS"]


def test_formats_that_are_not_valid_are_one_problem() -> None:
    assert problems(ROTATION_FORMATS="Key={key}") == ["ROTATION_FORMATS"]
