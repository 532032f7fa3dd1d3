"""Evidence of who still uses the former version of a secret.

It comes from the vaults' audit logs, and from consumers that are asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EvidencePolicy(StrEnum):
    """The reaction to a reader of the former version, or to a log that shows nothing.

    ``WARN`` revokes and names it; ``REQUIRE`` waits, and after the deadline asks a person.
    """

    OFF = "off"
    WARN = "warn"
    REQUIRE = "require"


@dataclass(frozen=True)
class Readers:
    """The identities that have not read the new version, and the secrets without a usable log.

    ``error`` is the first error of reading a log, with its remedy. ``behind`` has a sentence for
    each consumer that does not confirm that it uses the new key.
    """

    stale: tuple[str, ...] = ()
    unlogged: tuple[str, ...] = ()
    error: str = ""
    behind: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = []
        if self.stale:
            parts.append(f"still reading the old version: {', '.join(self.stale)}")
        if self.unlogged:
            parts.append(f"no usable audit log of {', '.join(self.unlogged)}")
        if self.error:
            parts.append(self.error)
        parts += self.behind
        return "; ".join(parts)
