"""Bicep compiles without a warning and is formatted; the snapshots are current."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .bicep import FILES, INFRA, ROOT, bicep, compiled, needs_compiler, snapshot
from .deployed import EVERY, SNAPSHOTS

ENTRY_POINTS = [INFRA / "main.bicep", ROOT / "examples/playground/main.bicep"]

REQUIRED_RULES = {"use-recent-api-versions", "use-user-defined-types", "use-safe-access"}


@needs_compiler
@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: path.parent.name)
def test_it_compiles_without_a_warning(path: Path) -> None:
    done = bicep("lint", path)
    assert (done.returncode, done.stderr) == (0, "")


@needs_compiler
def test_it_is_formatted() -> None:
    unformatted = [
        path.relative_to(ROOT)
        for path in FILES
        if bicep("format", path, "--stdout").stdout != path.read_text()
    ]
    assert unformatted == []


@needs_compiler
def test_a_warning_fails(tmp_path: Path) -> None:
    (tmp_path / "bicepconfig.json").write_text((ROOT / "bicepconfig.json").read_text())
    faulty = tmp_path / "faulty.bicep"
    faulty.write_text("param unused object\nvar location = 'westeurope'\n")
    done = bicep("lint", faulty)
    assert done.returncode != 0
    assert {"no-unused-params", "no-unused-vars", "use-user-defined-types"} <= set(
        re.findall(r"Error ([\w-]+):", done.stderr)
    )


def test_every_rule_is_an_error() -> None:
    rules = json.loads((ROOT / "bicepconfig.json").read_text())["analyzers"]["core"]["rules"]
    assert {rule["level"] for rule in rules.values()} == {"error"}
    assert rules.keys() >= REQUIRED_RULES


@needs_compiler
@pytest.mark.parametrize("case", EVERY)
def test_a_snapshot_is_current(case: str) -> None:
    """Run python -m tests.infra.deployed after a change, and look at the difference."""
    done = snapshot(SNAPSHOTS / f"{case}.bicepparam", "validate")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", EVERY)
def test_who_changes_a_snapshot_changes_an_assertion_or_the_changelog(case: str) -> None:
    """Look at the last commit that changed the snapshot."""
    last = ["log", "-1", "--format=%H", "--", f"tests/infra/snapshots/{case}.snapshot.json"]
    commit = _git(*last)
    if not commit:
        pytest.skip("the snapshot is not committed")
    changed = _git("show", "--format=", "--name-only", commit).splitlines()
    assert [p for p in changed if re.match(r"tests/infra/test_\w+\.py|CHANGELOG\.md", p)], commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _templates(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return a template and those of its modules."""
    yield template
    found = template["resources"]
    for resource in found.values() if isinstance(found, dict) else found:
        if resource["type"] == "Microsoft.Resources/deployments":
            yield from _templates(resource["properties"]["template"])


@needs_compiler
@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: path.parent.name)
class TestCompiled:
    def test_every_parameter_has_a_description(self, path: Path) -> None:
        missing = [
            name
            for template in _templates(compiled(path))
            for name, parameter in template.get("parameters", {}).items()
            if not parameter.get("metadata", {}).get("description")
        ]
        assert missing == []

    def test_no_key_is_read(self, path: Path) -> None:
        assert re.findall(r"\blist[A-Z]\w*\(", json.dumps(compiled(path))) == []


@needs_compiler
class TestOrder:
    @pytest.fixture
    def modules(self) -> dict[str, Any]:
        """Return the modules of main.bicep by name."""
        found: dict[str, Any] = compiled(INFRA / "main.bicep")["resources"]
        return found

    @pytest.mark.parametrize("name", ["vaultGrants", "accountGrants"])
    def test_grants_follow_the_roles_and_the_function_app(
        self, modules: dict[str, Any], name: str
    ) -> None:
        """A new role takes minutes to reach every region; so does a function app."""
        assert {"roles", "functionApp"} <= set(modules[name]["dependsOn"])

    def test_event_subscriptions_follow_the_rights_of_their_topics(
        self, modules: dict[str, Any]
    ) -> None:
        """Event Grid checks the rights of the topic's identity."""
        needed = {"eventTopics", "functionApp"}
        assert needed <= set(modules["eventSubscriptions"]["dependsOn"])

    def test_the_name_of_a_deployment_of_a_subscription_depends_on_the_region(
        self, modules: dict[str, Any]
    ) -> None:
        """Azure refuses a name that it knows from another region."""
        assert "parameters('deploymentRegion')" in modules["roles"]["name"]
        nested = [one for one in compiled(ENTRY_POINTS[1])["resources"] if "location" in one]
        (service,) = [one for one in nested if one["type"] == "Microsoft.Resources/deployments"]
        assert "parameters('location')" in service["name"]
