"""``keyrotation`` as a shell runs it, and its documentation."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer

import rotation
from emulator.proxy.server import Proxy
from rotation.cli.app import app
from rotation.cli.exit_status import ExitStatus

from .conftest import QUICK, VAULT, Run

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/cli.md").read_text()
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_a_separate_process_needs_only_the_environment(proxy: Proxy, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "ROTATION_VAULTS": VAULT, **proxy.environment}
    environment |= QUICK | {"ROTATION_JOURNAL": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "rotation", "status", "--direct", "--json"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ExitStatus.ATTENTION, done.stderr
    assert len(json.loads(done.stdout)["secrets"]) == 2
    assert b"\x1b[" not in done.stdout + done.stderr, "no colour in a pipe"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "--direct"),
        (["why", "no slash", "--direct"], "VAULT/SECRET"),
        (["rotate", "--reason", "r", "--direct"], "--all"),
        (["rotate", "kv-demo/a"], "--reason"),
        (["surprise"], "surprise"),
        (["status", "--surprise"], "--surprise"),
    ],
)
def test_a_usage_error_has_its_own_exit_status_and_says_what_to_write(
    run: Run, arguments: list[str], message: str
) -> None:
    result = run(*arguments)
    assert result.status == ExitStatus.USAGE
    assert message in result.err


def test_the_version_is_that_of_the_package(run: Run) -> None:
    result = run("--version")
    assert (result.status, result.out) == (ExitStatus.OK, f"{rotation.__version__}\n")


def test_all_bad_settings_are_reported_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_VAULTS", "not a url")
    monkeypatch.setenv("ROTATION_OVERLAP", "long")
    result = run("status", "--direct")
    assert result.status == ExitStatus.USAGE
    assert "ROTATION_VAULTS" in result.err
    assert "ROTATION_OVERLAP" in result.err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    section = re.search(rf"^### `{name}.*?(?=^##|\Z)", DOCUMENT, re.M | re.S)
    assert section, f"docs/cli.md has no section for {name}"
    shared = DOCUMENT.partition("## Commands")[0]
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert option in section[0] or option in shared, option


def test_every_exit_status_is_documented() -> None:
    for status in ExitStatus:
        assert re.search(rf"^\| {status.value} \|", DOCUMENT, re.M), status


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = sorted(
    {
        line.strip()
        for document in DOCUMENTS
        for line in re.findall(r"^\$? *(keyrotation [a-z].*)$", document.read_text(), re.M)
    }
)


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_shown_in_a_document_exists(line: str) -> None:
    _, name, *rest = shlex.split(line, comments=True)
    command = COMMANDS[name]
    if hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    assert {part for part in rest if re.match(r"--?[a-z]", part)} <= known


def test_documents_show_every_command() -> None:
    shown = {line.split()[1] for line in SHOWN}
    assert set(COMMANDS) - shown <= {"resume", "abandon"}, "they need a blocked rotation"


@pytest.mark.slow
def test_the_wheel_has_the_command_and_the_files_that_it_needs(tmp_path: Path) -> None:
    source = tmp_path / "source"  # a build writes into its source
    shutil.copytree(ROOT / "rotation", source / "rotation")
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.in"):
        shutil.copy(ROOT / name, source)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "-w",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(build, check=True, timeout=300)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        (points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "keyrotation = rotation.__main__:main" in wheel.read(points).decode()
    assert {"rotation/web/openapi.json", "rotation/web/dashboard/page.html"} <= set(names)
