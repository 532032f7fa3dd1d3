"""A wrong parameter fails before anything is deployed, and the message names the value."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from .bicep import SUBSCRIPTION, needs_compiler, snapshot

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/acct-one"
GIVEN = {"environmentName": "prod", "vaultIds": VAULT, "accountIds": ACCOUNT}


def evaluate(folder: Path, **given: str) -> str:
    """Evaluate inputs.bicep; return what is wrong."""
    parameters = folder / "main.bicepparam"
    lines = [f"param {name} = '{value}'" for name, value in (GIVEN | given).items()]
    template = Path(__file__).with_name("inputs.bicep")
    lines.insert(0, f"using '{os.path.relpath(template, folder)}'")
    parameters.write_text("\n".join(lines))
    done = snapshot(parameters, "overwrite")
    return done.stderr if done.returncode else ""


@needs_compiler
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("vaultIds", ",", "vaultIds: give the resource id of at least one key vault"),
        ("vaultIds", f"{VAULT},{ACCOUNT}", "/accounts/acct-one"),
        ("vaultIds", "https://kv-one.vault.azure.net/secrets/ai-key", "/secrets/ai-key"),
        ("vaultIds", f"{VAULT}/secrets/ai-key", "/secrets/ai-key"),
        ("vaultIds", VAULT.replace("vaults/kv-one", "managedHSMs/hsm-one"), "managedhsms/hsm-one"),
        ("accountIds", VAULT, "/vaults/kv-one"),
        ("environmentName", "Prod_1.", "rg-Prod_1."),
        ("environmentName", "prod/one", "rg-prod/one"),
        ("eventTopicNames", "kv-two=topic", "kv-two=topic"),
        ("eventTopicNames", f"kv-one={VAULT}", "/vaults/kv-one"),
        ("logsWorkspaceId", "log-central", "log-central"),
        ("withVaultAudit", "true", "needs logsWorkspaceId"),
        ("tags", "owner", "owner"),
        ("bindings", "kv-two=/subscriptions/1", "does not begin with the name of a vault"),
        ("bindings", f"kv-one={VAULT}", "is not VAULT[/PATTERN]=SCOPE"),
        ("bindings", f"kv-one/a_b={ACCOUNT}", "kv-one/a_b="),
        ("bindings", f"kv-one={GROUP},kv-one/a-*={GROUP}", "either all entries have"),
        ("alertWebhooks", "https://one.example/x,http://two.example/y", "value 2"),
        ("alertWebhooks", "https://", "value 1"),
        ("alertWebhooks", "on-call@contoso.example", "value 1"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    problem = evaluate(tmp_path, **{name: value})
    assert name in problem
    assert says in problem


@needs_compiler
def test_a_message_never_shows_a_webhook(tmp_path: Path) -> None:
    """The URL of a webhook holds a token."""
    given = "https://one.example/?sig=alpha,http://two.example/?sig=beta,https:/three.example/gamma"
    problem = evaluate(tmp_path, alertWebhooks=given)
    assert "alertWebhooks: value 2 is not an https URL" in problem
    assert not any(part in problem for part in ("alpha", "beta", "gamma", "two.example"))


@needs_compiler
def test_webhooks_are_a_list_without_spaces(tmp_path: Path) -> None:
    given = "https://one.example/a?sig=1, HTTPS://two.example/b,"
    assert evaluate(tmp_path, alertWebhooks=given) == ""
    (listed,) = re.findall(r'"(\[\\"https.*?\])"', (tmp_path / "main.snapshot.json").read_text())
    assert json.loads(json.loads(f'"{listed}"')) == [
        "https://one.example/a?sig=1",
        "HTTPS://two.example/b",
    ]


@needs_compiler
def test_the_defaults_are_accepted_as_empty_text(tmp_path: Path) -> None:
    """A pipeline passes an unset variable as empty text."""
    names = (
        "accountIds",
        "bindings",
        "eventTopicNames",
        "logsWorkspaceId",
        "withVaultAudit",
        "tags",
        "alertWebhooks",
    )
    assert evaluate(tmp_path, **dict.fromkeys(names, "")) == ""


@needs_compiler
def test_a_topic_by_name_is_in_the_resource_group_of_its_vault(tmp_path: Path) -> None:
    assert evaluate(tmp_path, eventTopicNames="KV-One=my-topic") == ""
    # The id in the snapshot is in lower case.
    topic = f"{GROUP.lower()}/providers/microsoft.eventgrid/systemtopics/my-topic"
    assert topic in (tmp_path / "main.snapshot.json").read_text()
