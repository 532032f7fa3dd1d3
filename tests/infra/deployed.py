"""Evaluated deployments, one for each ``snapshots/*.bicepparam``.

``python -m tests.infra.deployed`` rewrites them; with ``--flat`` it prints a template for checkov,
which does not follow modules.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bicep import snapshot

SNAPSHOTS = Path(__file__).with_name("snapshots")
EVERY = tuple(sorted(path.stem for path in SNAPSHOTS.glob("*.bicepparam")))
PLAYGROUND = "playground"  # creates a vault and accounts; the other cases never do
CASES = tuple(case for case in EVERY if case != PLAYGROUND)
Resource = Mapping[str, Any]
_EXTENDED = re.compile(r"\[extensionResourceId\('([^']+)'")


@dataclass(frozen=True)
class Deployed:
    """The resources that a deployment writes, and its outputs.

    A value that only Azure knows is an expression.
    """

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type."""
        return [one for one in self.resources if one["type"] == kind]

    def one(self, kind: str, name: str = "") -> Resource:
        """Return the only resource of a type whose name contains ``name``."""
        (found,) = [one for one in self.of(kind) if name in one["name"]]
        return found

    def settings(self) -> dict[str, str]:
        """Return the app settings."""
        listed = self.one("Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
        return {one["name"]: one["value"] for one in listed}


def place(resource: Resource) -> str:
    """Return the id of a resource, or of the resource that it extends."""
    found = _EXTENDED.match(resource["id"])
    return found[1] if found else str(resource["id"])


@functools.cache
def deployed(case: str) -> Deployed:
    """Return an evaluated deployment by the name of its parameters."""
    found = json.loads((SNAPSHOTS / f"{case}.snapshot.json").read_text())
    assert not found["diagnostics"], found["diagnostics"]
    return Deployed(tuple(found["predictedResources"]), found["outputs"])


def _sort_outputs(path: Path) -> None:
    """Sort the outputs, which Bicep writes in a different order each time."""
    found = json.loads(path.read_text())
    found["outputs"] = dict(sorted(found["outputs"].items()))
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def main(rewrite: bool) -> None:
    """Rewrite the snapshots; or print the largest two as one template without modules."""
    if rewrite:
        for case in EVERY:
            done = snapshot(SNAPSHOTS / f"{case}.bicepparam", "overwrite")
            print(case, done.stderr.strip() or "written")
            _sort_outputs(SNAPSHOTS / f"{case}.snapshot.json")
        return
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    resources = [one for case in ("everything", PLAYGROUND) for one in deployed(case).resources]
    template = {"$schema": schema, "contentVersion": "1.0.0.0", "resources": resources}
    print(json.dumps(template, indent=1))


if __name__ == "__main__":
    main(rewrite="--flat" not in sys.argv)
