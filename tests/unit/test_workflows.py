"""The workflows run what they are meant to run, and nothing that can change unnoticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_with_its_version(path: Path) -> None:
    for used in re.findall(r"uses: (.+)", path.read_text()):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_limits_its_permissions(path: Path) -> None:
    assert re.search(r"^permissions:\n  contents: read$", path.read_text(), re.M)


def test_the_samples_are_compiled_with_exact_versions() -> None:
    """A sample that compiles today compiles tomorrow; Dependabot proposes newer versions."""
    samples = ROOT / "examples/consumers"
    project, pom = samples / "dotnet/consumer.csproj", samples / "java/pom.xml"
    versions = re.findall(r'<PackageReference .*Version="(.*)"', project.read_text())
    versions += re.findall(r"<version>(.*)</version>", pom.read_text())
    assert len(versions) == 8
    assert all(re.fullmatch(r"\d+(\.\d+)*", version) for version in versions), versions
    jobs = (ROOT / ".github/workflows/ci.yml").read_text()
    for file in (project.parent, pom):
        assert str(file.relative_to(ROOT)) in jobs
    assert str(project.parent.relative_to(ROOT)) in (ROOT / ".github/dependabot.yml").read_text()


def test_the_tests_run_on_every_supported_python() -> None:
    supported = re.search(
        r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text()
    )
    assert supported
    versions = [f"3.{minor}" for minor in range(int(supported[1]), int(supported[2]))]
    matrix = re.search(r"python: \[(.+)\]", (ROOT / ".github/workflows/ci.yml").read_text())
    assert matrix
    assert re.findall(r"[\d.]+", matrix[1]) == versions
