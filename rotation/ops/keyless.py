"""Accounts whose consumers could use Entra ID instead of keys, and the roles they would need."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.account import Account
from ..domain.errors import RotationError
from ..domain.ids import AccountId, TargetId
from ..ports import Evidence

# The least role for the data plane of each kind ("Azure built-in roles").
ROLES = {
    "openai": "Cognitive Services OpenAI User",
    "speechservices": "Cognitive Services Speech User",
}
# The role for every other kind. Unlike those above, it may also list the account's keys.
ANY_ROLE = "Cognitive Services User"
# A reader that the log does not name.
UNKNOWN = "unknown"
# These kinds accept keys only.
KEYS_ONLY = frozenset({"customvision.training", "customvision.prediction"})
# Regional hosts do not accept Entra ID; an account needs its own subdomain.
_REGIONAL = re.compile(r"//[a-z0-9]+\.api\.cognitive\.", re.I)
# For how long the logs are searched for readers.
READ_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Keyless:
    """The steps with which an account's consumers stop using its keys.

    ``readers`` are the identities that read its secrets in the last 30 days; None if the audit logs
    are not connected or could not be read, which ``problem`` explains.
    """

    account: AccountId
    role: str
    readers: tuple[str, ...] | None
    needs_subdomain: bool
    problem: str = ""

    @property
    def lists_keys(self) -> bool:
        """Return whether the role may still list the account's keys."""
        return self.role == ANY_ROLE

    def commands(self) -> list[str]:
        """Return a role assignment for each reader; IDENTITY stands for one that is not known."""
        known = dict.fromkeys(
            reader if reader != UNKNOWN else "IDENTITY" for reader in self.readers or (UNKNOWN,)
        )
        scope = shlex.quote(str(self.account))  # a resource group's name may have brackets
        return [
            f'az role assignment create --role "{self.role}" --assignee {shlex.quote(reader)} '
            f"--scope {scope}"
            for reader in known
        ]


@dataclass(frozen=True)
class Readers:
    """Finds the readers of secrets in the audit logs, if these are connected.

    ``ignored`` are identities that are not consumers, in lower case.
    """

    evidence: Evidence | None
    ignored: frozenset[str]
    now: datetime

    async def of(self, targets: Iterable[TargetId]) -> tuple[tuple[str, ...] | None, str]:
        """Return the readers, or None and the reason why they are not known."""
        if self.evidence is None:
            return None, "the vaults' audit logs are not connected (ROTATION_LOGS_WORKSPACE)"
        since, found = self.now - READ_WITHIN, set[str]()
        try:
            for target in targets:
                reads = await self.evidence.readers(target.vault, target.name, since)
                found |= {read.identity for read in reads}
        except RotationError as exc:
            return None, str(exc)
        return tuple(sorted(one for one in found if one.lower() not in self.ignored)), ""


async def assess(account: Account, targets: Sequence[TargetId], readers: Readers) -> Keyless | None:
    """Return what it takes; None if the account has no keys in use, or accepts only keys."""
    if account.local_auth_disabled or account.kind.lower() in KEYS_ONLY or not targets:
        return None
    known, problem = await readers.of(targets)
    return Keyless(
        account=account.id,
        role=ROLES.get(account.kind.lower(), ANY_ROLE),
        readers=known,
        needs_subdomain=bool(_REGIONAL.search(account.endpoint)),
        problem=problem,
    )
