"""Tells who read a secret last, from the vaults' audit logs. Reads no value."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.errors import RotationError
from ..domain.ids import TargetId
from ..ports import Evidence, Vaults
from ..runtime.clock import Clock
from .queries import Queries
from .replies.secret import ReadersReply
from .views import readers

UNCONNECTED = "the vaults' audit logs are not connected (ROTATION_LOGS_WORKSPACE)"


@dataclass(frozen=True)
class LastReaders:
    """Asks the logs. ``ignored`` are identities that are not consumers, in lower case."""

    queries: Queries
    vaults: Vaults
    evidence: Evidence | None
    ignored: frozenset[str]
    clock: Clock

    async def of(self, target: TargetId) -> ReadersReply:
        """Return the last readers of an enrolled secret.

        Raises Permanent if the secret is not enrolled, and RotationError if that is not known.
        """
        await self.queries.row(target)
        now = self.clock.now()
        if self.evidence is None:
            return readers.unknown(target, UNCONNECTED, now)
        since = now - readers.WITHIN
        try:
            versions = await self.vaults.list_versions(target)
            reads = await self.evidence.readers(target.vault, target.name, since)
        except RotationError as exc:
            return readers.unknown(target, exc.advice, now)
        return readers.build(target, versions, reads, self.ignored, now)
