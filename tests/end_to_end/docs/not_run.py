"""The commands of documents that no test runs, each with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class NotRun:
    """Commands that begin with a text, in one document or in all of them."""

    begins: str
    reason: str
    document: str = ""

    def covers(self, document: str, command: str) -> bool:
        """Return whether no test runs this command for this reason."""
        here = not self.document or document == self.document
        begins = rf"(^|\$\(|[;&|] *){re.escape(self.begins)}(?![\w-])"
        return here and re.search(begins, command) is not None


NEEDS_AZURE = "needs Azure; tests/infra checks that the command and its options exist"
NEEDS_STORAGE = "needs the service's storage account; tests/integration/cli uses --direct"
NOT_RUN = (
    NotRun("az", NEEDS_AZURE),
    NotRun("azd", "needs Azure; tests/infra checks the settings of azd"),
    NotRun("func", "needs Azure"),
    NotRun("make", "CI runs the targets; test_docs.py checks that they exist"),
    NotRun(".venv/bin/python -m scripts.prose", "CI runs it", "CONTRIBUTING.md"),
    NotRun("pipx", "needs the address of a fork; a test builds the package", "docs/cli.md"),
    NotRun("keyrotation --install-completion", "changes the files of a shell", "docs/cli.md"),
    NotRun("keyrotation status --direct", NEEDS_STORAGE, "docs/downtime.md"),
    NotRun("keyrotation rotate my-vault/my-ai-key", NEEDS_STORAGE, "docs/downtime.md"),
    NotRun("keyrotation emergency my-vault/my-ai-key", NEEDS_STORAGE, "docs/downtime.md"),
    NotRun("infra/hooks/remove.sh", "needs Azure; tests/infra runs it", "docs/remove.md"),
    NotRun("dotnet", "needs NuGet; the job samples of the workflow runs it"),
    NotRun("mvn", "needs Maven Central; the job samples of the workflow runs it"),
    NotRun("git", "changes the checkout", "docs/upgrade.md"),
    NotRun("export ROTATION_VAULTS=...", NEEDS_AZURE, "examples/playground/README.md"),
    NotRun("keyrotation enrol", NEEDS_AZURE, "examples/playground/README.md"),
    NotRun(
        "keyrotation enrol my-ai --secret my-ai-connection",
        "needs a secret in a format; tests/integration/cli enrols one",
        "docs/consumers/formats.md",
    ),
)
