"""The removal, against a fake ``az`` and ``azd`` that note what they were asked to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .bicep import INFRA, SUBSCRIPTION

TOKEN = "abcdefghijklm"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps"
VALUES = {
    "AZURE_ENV_NAME": "prod",
    "SERVICE_PRINCIPAL_ID": "44444444-4444-4444-4444-444444444444",
    "SERVICE_URL": f"https://func-rotation-{TOKEN}.azurewebsites.net",
    "ROTATION_VAULT_IDS": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one, ",
    "ROTATION_ACCOUNT_IDS": "",
    "ROTATION_WITH_VAULT_AUDIT": "true",
}
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/one"
CHANGES = ("delete", "remove", "update", "create")


class Removal:
    """The script, with programs that answer a command that contains a key with its value."""

    def __init__(
        self, folder: Path, values: dict[str, str], subscriptions: str, tag: str, refused: str = ""
    ) -> None:
        self.folder, self.log = folder, folder / "log"
        self._program("azd", {f"get-value {name}": value for name, value in values.items()})
        self._program(
            "az",
            {
                **({refused: "refused' >&2; false '"} if refused else {}),
                " delete ": "",
                "event-subscription list": subscriptions,
                "system-topic list": "kv-one-events",
                "system-topic show": tag,
                "role assignment list": ASSIGNMENT,
                "lock list": "/locks/journal",
            },
        )

    def _program(self, name: str, answers: dict[str, str]) -> None:
        cases = "\n".join(f"*'{key}'*) printf '{said}\\n' ;;" for key, said in answers.items())
        path = self.folder / name
        path.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {self.log}\ncase " $* " in\n{cases}\nesac\n'
        )
        path.chmod(0o755)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the script; return its exit status and its output."""
        done = subprocess.run(
            ["/bin/sh", INFRA / "hooks/remove.sh", *arguments],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def changes(self) -> list[str]:
        """The commands that changed something."""
        return [line for line in self.log.read_text().splitlines() if {*line.split()} & {*CHANGES}]


@pytest.fixture
def removal(tmp_path: Path) -> Removal:
    return Removal(tmp_path, VALUES, f"rotation-{TOKEN}", "key-rotation")


def test_without_a_word_it_only_shows_the_commands(removal: Removal) -> None:
    code, said = removal.run()
    assert code == 0
    assert removal.changes == []
    assert "az group delete --name rg-prod --yes" in said
    assert "Nothing was changed" in said


def test_it_runs_exactly_the_commands_that_it_showed(removal: Removal) -> None:
    shown = [line for line in removal.run()[1].splitlines() if line.startswith("az ")]
    assert removal.run("--yes")[0] == 0
    assert removal.changes == shown
    assert len(shown) == 8


def test_it_deletes_nothing_in_the_groups_of_others_but_its_own_parts(removal: Removal) -> None:
    removal.run("--yes")
    for line in removal.changes:
        own = TOKEN in line or ASSIGNMENT in line or "kv-one-events" in line
        assert own or "rg-prod" in line or "/locks/journal" in line
        assert "keyvault" not in line
        assert "group delete" not in line or line == "az group delete --name rg-prod --yes"


@pytest.mark.parametrize(
    ("subscriptions", "tag"),
    [(f"rotation-{TOKEN}\\nrotation-other", "key-rotation"), (f"rotation-{TOKEN}", "")],
)
def test_a_topic_of_others_stays(tmp_path: Path, subscriptions: str, tag: str) -> None:
    removal = Removal(tmp_path, VALUES, subscriptions, tag)
    removal.run("--yes")
    assert any("event-subscription delete" in line for line in removal.changes)
    assert not any("system-topic delete" in line for line in removal.changes)


def test_a_topic_without_our_subscription_is_left_alone(tmp_path: Path) -> None:
    removal = Removal(tmp_path, VALUES, "rotation-other", "key-rotation")
    removal.run("--yes")
    assert not any("kv-one-events" in line for line in removal.changes)


@pytest.mark.parametrize("refused", ["metrics alert delete", "lock delete"])
def test_a_failure_is_reported_and_the_other_steps_go_on(tmp_path: Path, refused: str) -> None:
    removal = Removal(tmp_path, VALUES, f"rotation-{TOKEN}", "key-rotation", refused)
    code, said = removal.run("--yes")
    assert code == 1
    assert "not everything was removed" in said
    assert len(removal.changes) == 8


@pytest.mark.parametrize("missing", ["AZURE_ENV_NAME", "SERVICE_PRINCIPAL_ID", "SERVICE_URL"])
def test_without_a_deployed_service_it_does_nothing(tmp_path: Path, missing: str) -> None:
    removal = Removal(tmp_path, VALUES | {missing: ""}, "", "")
    code, said = removal.run("--yes")
    assert code == 1
    assert "no deployed service" in said
    assert removal.changes == []


def test_another_word_is_refused(removal: Removal) -> None:
    assert removal.run("--all")[0] == 64
