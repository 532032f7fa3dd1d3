"""Every setting, endpoint and command is documented, and every documented one exists."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import function_app
from emulator.azure import virtual
from emulator.host.functions import of_app
from emulator.proxy.control import Control
from rotation.decisions.due import Dated, due_at
from rotation.domain import tags
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.targets import Enrolment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
]
_TARGET = re.compile(r"(?:^(?:\$ )?|`)make ([a-z]+)(?=$|`|  | #| [A-Z])", re.M)
EMULATOR = (ROOT / "docs/emulator.md").read_text()


@pytest.mark.parametrize("tag", sorted({*tags.READ, *tags.WRITTEN}))
def test_every_tag_is_in_the_readme(tag: str) -> None:
    assert f"| `{tag}` |" in README


def test_every_endpoint_is_in_the_readme_and_every_one_there_exists() -> None:
    routes = set()
    for function in of_app(function_app.app):
        if function.kind == "httptrigger":
            for method in function.trigger["methods"]:
                routes.add(f"{getattr(method, 'value', method)} /api/{function.trigger['route']}")
    assert routes == set(re.findall(r"^\| `([A-Z]+ /api/[^`]+)`", README, re.M))


def test_every_control_of_the_emulator_is_documented() -> None:
    for method, path in Control(virtual())._handlers:
        assert f"{method} /_emulator/{path}" in EMULATOR or f"`{method}` clears" in EMULATOR


def test_every_make_target_has_a_help_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.M)
    helped = set(re.findall(r"^([a-z]+):.*## ", makefile, re.M))
    assert helped == set(phony.split())


def test_every_make_target_in_a_document_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    shown = {target for document in DOCUMENTS for target in _TARGET.findall(document.read_text())}
    assert len(shown) > 10
    assert {target for target in shown if not re.search(rf"^{target}:", makefile, re.M)} == set()


def test_every_link_between_documents_has_a_target() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_sample_settings_are_known_and_valid() -> None:
    import json

    from rotation.settings import environment as settings

    sample = json.loads((ROOT / "local.settings.sample.json").read_text())
    loaded = settings.load(sample["Values"])
    assert loaded.credential == "developer"
    for name in sample["Values"]:
        if name.startswith("ROTATION_"):
            assert f"| `{name}` |" in README


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_modules_that_a_document_names_exist(document: str) -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:/|\.py|\.json))`", (ROOT / document).read_text())
    assert named
    for path in named:
        assert (ROOT / path).exists() or (ROOT / "rotation" / path).exists(), path


@pytest.mark.parametrize("days", [14, 30, 90, 180, 365])
def test_the_days_of_grace_are_those_of_the_due_date(days: int) -> None:
    """docs/downtime.md states when a rotation is due, and how long after it the secret expires."""
    page = (ROOT / "docs/downtime.md").read_text()
    row = re.search(rf"^\| {days} days.*?\| day ([\d.]+) to ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    assert row
    validity, birth = timedelta(days=days), datetime(2026, 1, 1, tzinfo=UTC)
    account = AccountId("s", "g", "a")
    secrets = (TargetId("https://kv.vault.azure.net", f"secret-{n}") for n in range(2000))
    due = [
        due_at(
            Dated(
                secret,
                Enrolment(account, validity),
                birth + validity,
                birth,
                Record(account, "salt", published_at=birth),
                Policy(),
            )
        )
        - birth
        for secret in secrets
    ]
    first, last, grace = (float(number) for number in row.groups())
    assert min(due) / timedelta(days=1) == pytest.approx(first, abs=0.06)
    assert max(due) / timedelta(days=1) == pytest.approx(last, abs=0.06)
    assert (validity - max(due)) / timedelta(days=1) == pytest.approx(grace, abs=0.06)
