"""The consumers of one process, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ASYNC = ("async-httpx", "async-openai")
THREADED = ("httpx", "openai", "azure-sdk", "control")
# A control reads the secret once; all other kinds conform.
CONTROL = "control"


@dataclass(frozen=True)
class Consumer:
    """One app: its identity, the secret that it reads, and the account that it calls.

    It reads again after at most ``every`` seconds, and makes a call each ``pause`` seconds.
    """

    number: int
    kind: str
    identity: str
    vault: str
    secret: str
    endpoint: str
    every: float
    pause: float

    @property
    def conforms(self) -> bool:
        return self.kind != CONTROL


def write(path: Path, consumers: Iterable[Consumer]) -> None:
    path.write_text(json.dumps([asdict(one) for one in consumers]))


def read(path: Path) -> list[Consumer]:
    return [Consumer(**one) for one in json.loads(path.read_text())]
