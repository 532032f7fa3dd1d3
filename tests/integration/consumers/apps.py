"""The sample apps as processes, each with its own identity, which may read one secret."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulator.azure import Azure
from emulator.core.identity import Principal
from emulator.proxy.server import Proxy

ROOT = Path(__file__).parents[3]
ACCOUNT, VAULT, SECRET = "aoai-demo", "kv-demo", "ai-key"
PYTHON = (sys.executable, "-m")
SECONDS = 30


@dataclass(frozen=True)
class Line:
    """A line that an app prints after each round: the version in use, and its numbers of calls."""

    version: str
    succeeded: int
    failed: int

    @classmethod
    def parse(cls, text: bytes) -> Line:
        version, succeeded, failed = text.decode().split()
        return cls(version, int(succeeded), int(failed))


@dataclass
class App:
    """A running app. ``lines`` has every line that was read."""

    azure: Azure
    identity: Principal
    process: asyncio.subprocess.Process
    lines: list[Line] = field(default_factory=list)

    async def line(self) -> Line:
        """Return the next line. Raises AssertionError if the app has ended."""
        assert self.process.stdout is not None
        while True:
            text = await asyncio.wait_for(self.process.stdout.readline(), SECONDS)
            assert text, await self._complaint()
            if b": version" not in text:  # a log line
                self.lines.append(Line.parse(text))
                return self.lines[-1]

    async def until(self, version: str) -> None:
        """Read lines until a version is in use."""
        for _ in range(SECONDS):
            if (await self.line()).version == version:
                return
        raise AssertionError(f"{version} is never in use: {self.lines}")

    async def _complaint(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    @property
    def failed(self) -> int:
        return sum(line.failed for line in self.lines)

    def calls(self, operation: str, status: int) -> int:
        """Return how many calls of an operation had this status: reads of the app, or any chats."""
        own = {self.identity.object_id, ""}
        found = (c for c in self.azure.calls if c.operation == operation and c.principal in own)
        return sum(call.status == status for call in found)


def azure() -> Azure:
    """Return an Azure with one account, whose first key a secret publishes."""
    made = Azure()
    made.add_account(ACCOUNT)
    made.add_vault(VAULT)
    made.add_secret(VAULT, SECRET, publishes=(ACCOUNT, "Key1"))
    made.add_secret(VAULT, "other", value="of another app")
    return made


def publish(azure: Azure, slot: str) -> str:
    """Publish the key of a slot; return the version."""
    return azure.add_secret(VAULT, SECRET, publishes=(ACCOUNT, slot)).id


@asynccontextmanager
async def running(
    proxy: Proxy, command: Sequence[str], calls: int, every: float, **more: str
) -> AsyncIterator[App]:
    """Run an app until the end of the block; it makes ``calls`` calls at a time."""
    azure = proxy.azure
    identity = azure.add_principal("app")
    identity.assign("Key Vault Secrets User", f"{azure.vault(VAULT).id}/secrets/{SECRET}")
    settings = {
        "AZURE_CLIENT_ID": identity.client_id,
        "VAULT_URL": azure.vault(VAULT).url,
        "SECRET": SECRET,
        "ENDPOINT": azure.account(ACCOUNT).endpoint,
        "CALLS": str(calls),
        "EVERY": str(every),
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **proxy.environment, **settings, **more},
        stdout=pipe,
        stderr=pipe,
    )
    try:
        yield App(azure, identity, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
