"""azd: its parameters, its hooks and the pipeline that runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from .bicep import INFRA, ROOT, SUBSCRIPTION

MAIN = (INFRA / "main.bicep").read_text()
AZURE = (ROOT / "azure.yaml").read_text()
GIVEN = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
WORKFLOW = (ROOT / ".github/workflows/deploy.yml").read_text()
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one"
TOPIC = f"{GROUP.lower()}/providers/microsoft.eventgrid/systemtopics/mine"


class TestParameters:
    def test_each_is_a_parameter_of_the_deployment(self) -> None:
        assert GIVEN.keys() <= set(re.findall(r"^param (\w+)", MAIN, re.M))

    def test_every_required_one_is_given(self) -> None:
        assert set(re.findall(r"^param (\w+) [\w.]+$", MAIN, re.M)) <= GIVEN.keys()

    def test_the_pipeline_passes_every_variable(self) -> None:
        """A variable that it does not pass is reset to its default."""
        asked = set(re.findall(r"\$\{(\w+)", json.dumps(GIVEN)))
        passed = set(re.findall(r"^ +(\w+): \$\{\{ (?:vars|secrets)\.", WORKFLOW, re.M))
        assert asked <= passed
        assert {name for name in passed if name.startswith("ROTATION_")} <= asked

    def test_each_is_documented(self) -> None:
        document = (ROOT / "docs/deploy.md").read_text()
        for parameter, value in GIVEN.items():
            for variable in re.findall(r"\$\{(ROTATION_\w+)", value["value"]):
                assert f"| `{variable}` | `{parameter}` |" in document


class TestDown:
    def test_an_azd_that_deletes_foreign_groups_is_refused(self) -> None:
        assert re.search(r"^requiredVersions:\n(?:.*#.*\n)*  azd: \">= 1\.24\.1\"$", AZURE, re.M)

    def test_it_is_refused_and_says_what_to_do(self) -> None:
        hook = re.search(r"^  predown:\n    posix:\n      shell: sh\n      run: (.*)$", AZURE, re.M)
        assert hook
        done = subprocess.run(
            ["/bin/sh", "-c", hook[1]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "az group delete" in done.stderr

    def test_both_kinds_of_systems_have_every_hook(self) -> None:
        hooks = AZURE.partition("hooks:")[2].partition("services:")[0]
        assert hooks.count("posix:") == hooks.count("windows:") == 2


class TestPreprovision:
    def run(self, folder: Path, answers: dict[str, str], **given: str) -> tuple[int, str]:
        """Run the hook with an az that answers a command that contains a key with its value."""
        cases = "\n".join(f"*'{key}'*) printf '%b' '{said}' ;;" for key, said in answers.items())
        fake = folder / "az"
        fake.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\nesac\n')
        fake.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", INFRA / "hooks/preprovision.sh"],
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
                "ROTATION_VAULT_IDS": VAULT,
                **given,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def test_an_existing_topic_must_be_named(self, tmp_path: Path) -> None:
        answers = {
            "system-topic list": f"{VAULT}\\t{TOPIC}\\tNone\\tSystemAssigned\\n",
            "keyvault show": "true",
        }
        code, said = self.run(tmp_path, answers)
        assert code == 1
        assert f"azd env set ROTATION_EVENT_TOPIC_NAMES kv-one={TOPIC}" in said
        assert self.run(tmp_path, answers, ROTATION_EVENT_TOPIC_NAMES=f"kv-one={TOPIC}")[0] == 0

    def test_a_topic_of_an_earlier_deployment_is_accepted(self, tmp_path: Path) -> None:
        answers = {
            "system-topic list": f"{VAULT}\\t{TOPIC}\\tkey-rotation\\tSystemAssigned\\n",
            "keyvault": "true",
        }
        assert self.run(tmp_path, answers)[0] == 0

    def test_a_topic_needs_an_identity(self, tmp_path: Path) -> None:
        answers = {"system-topic list": f"{VAULT}\\t{TOPIC}\\tNone\\tNone\\n", "keyvault": "true"}
        code, said = self.run(tmp_path, answers, ROTATION_EVENT_TOPIC_NAMES=f"kv-one={TOPIC}")
        assert code == 1
        assert f"update --ids {TOPIC} --mi-system-assigned true" in said

    def test_the_topic_of_a_resource_group_must_be_named(self, tmp_path: Path) -> None:
        answers = {
            "system-topic list": f"{GROUP}\\t{TOPIC}\\tNone\\tSystemAssigned\\n",
            "keyvault show": "true",
        }
        account = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/acct-one"
        given = {"ROTATION_ACCOUNT_IDS": account, "ROTATION_WITH_ARM_EVENTS": "true"}
        code, said = self.run(tmp_path, answers, **given)
        assert code == 1
        assert f"ROTATION_EVENT_TOPIC_NAMES {GROUP.lower()}={TOPIC}" in said

    def test_a_vault_with_access_policies_is_named(self, tmp_path: Path) -> None:
        code, said = self.run(tmp_path, {"keyvault show": "false"})
        assert code == 0
        assert "WARNING: vault kv-one uses access policies" in said

    @pytest.mark.parametrize(("state", "code"), [("Registered", 0), ("NotRegistered", 1)])
    def test_a_network_needs_a_resource_provider(
        self, tmp_path: Path, state: str, code: int
    ) -> None:
        answers = {"provider show": state, "keyvault show": "true"}
        found, said = self.run(tmp_path, answers, ROTATION_WITH_NETWORK="true")
        assert found == code
        assert ("az provider register --namespace Microsoft.App" in said) == bool(code)


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved to other code; the pipeline may act as an owner."""
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for used in re.findall(r"uses: (\S+)", workflow.read_text()):
            assert re.search(r"@[0-9a-f]{40}$", used), f"{workflow.name}: {used}"
