"""Evidence before a revocation: every reader of the former version has read the new one. Pure.

An empty log is not consent: the service reads its secrets itself, so a log that works has rows.
Emergencies never wait for evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ..domain.errors import RotationError
from ..domain.evidence import EvidencePolicy, Readers
from ..domain.targets import SecretRead, Target
from .actions import Action, MissingFacts, block, needs, wait
from .facts import Facts
from .overlaps import overlap_end

MISSING = "evidence-missing"

PAUSE = timedelta(minutes=15)

# A working log has a row that is no older: the service reads each secret several times a day.
QUIET = timedelta(hours=12)


def hold(f: Facts) -> Action | None:
    """Return the wait for a reader of the former version, or None if the key may be revoked."""
    if f.policy.evidence is EvidencePolicy.OFF:
        return None
    if f.readers is None:
        return needs(f, "who still reads the old version?", MissingFacts(readers=True))
    problem = str(f.readers)
    if not problem or f.policy.evidence is EvidencePolicy.WARN:
        return None
    deadline = overlap_end(f) + f.policy.evidence_deadline
    if f.now < deadline:
        return wait(f, problem, min(f.now + PAUSE, deadline))
    remedy = "let these consumers read the secret again, then resume; this revokes the old key"
    return block(f, MISSING, problem, remedy)


def warning(f: Facts) -> str:
    """Return what the policy only reports, to be added to the reason of the revocation."""
    found = str(f.readers or "")
    return f"; {found}" if found and f.policy.evidence is EvidencePolicy.WARN else ""


def judge(
    reads: Iterable[tuple[Target, Sequence[SecretRead] | RotationError]],
    ignored: frozenset[str],
    now: datetime,
) -> Readers:
    """Return what the logged reads of each target show; an error stands for a log that fails.

    ``ignored`` are identities in lower case whose reads do not count.
    """
    stale, unlogged, errors = set[str](), list[str](), list[str]()
    for target, found in reads:
        if isinstance(found, RotationError):
            errors.append(found.advice)
        logged = () if isinstance(found, RotationError) else found
        if not is_usable(logged, target.created, now):
            unlogged.append(target.id.name)
        stale |= behind(logged, target.version, target.created)
    named = sorted(name for name in stale if name.lower() not in ignored)
    return Readers(tuple(named), tuple(unlogged), errors[0] if errors else "")


def is_usable(reads: Sequence[SecretRead], created: datetime, now: datetime) -> bool:
    """Return whether the log has a row of today that is younger than the version of ``created``."""
    newest = max((read.at for read in reads), default=None)
    return newest is not None and newest > created and now - newest <= QUIET


def behind(reads: Sequence[SecretRead], version: str, created: datetime) -> set[str]:
    """Return the identities that have not read a version; if the log has none, the time tells."""
    moved = {
        read.identity
        for read in reads
        if read.version == version or (read.version is None and read.at > created)
    }
    return {read.identity for read in reads} - moved
