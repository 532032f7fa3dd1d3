"""Reads the facts of an account, and missing facts on request. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from ..decisions.actions import MissingFacts
from ..decisions.facts import Facts
from ..domain.account import Account
from ..domain.errors import Permanent, Transient
from ..domain.ids import AccountId, TargetId, target_id
from ..domain.keys import Key
from ..domain.policy import Policy
from ..domain.record import Record
from ..domain.targets import Target
from ..ports import Accounts, Evidence, Probe, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from .inventory import Inventory

_PROVISIONED = "Succeeded"


@dataclass
class Gatherer:
    """Gathers facts."""

    accounts: Accounts
    vaults: Vaults
    probe: Probe
    inventory: Inventory
    clock: Clock
    policy: Policy
    evidence: Evidence | None = None
    ignored: frozenset[str] = frozenset()

    async def facts(
        self,
        record: Record,
        known: tuple[TargetId, ...],
        cached_retired_key: Key | None = None,
        *,
        listed: bool = False,
    ) -> Facts:
        """Return current facts. Reads ``known`` targets, and lists the vaults if ``listed``."""
        account = check_rotatable(await self.accounts.get(record.account))
        seen = tuple(target_id(text) for text in record.seen)
        ids = tuple(sorted({*known, *seen}))
        if listed or not ids:
            ids = await self.inventory.targets(record.account, ids)
        targets = await self._targets(record.account, ids)
        known_here = {target for target in seen if target.vault in self.vaults.urls}
        await self._confirm_deleted(record.account, known_here - {target.id for target in targets})
        keys = await self.accounts.keys(record.account)
        now = self.clock.now()
        return Facts(
            now, self.policy, record, account, keys, targets, cached_retired_key=cached_retired_key
        )

    async def _targets(self, account: AccountId, ids: tuple[TargetId, ...]) -> tuple[Target, ...]:
        """Read the targets that are still enrolled for this account."""
        wanted = [target for target in ids if target.vault in self.vaults.urls]
        read = await gather_limited(self.vaults.get_target(target) for target in wanted)
        own = {t.id: t for t in read if t is not None and t.enrolment.account == account}
        return tuple(own[target] for target in sorted(own))

    async def _confirm_deleted(self, account: AccountId, missing: set[TargetId]) -> None:
        """Raise Transient if a known secret was not found but its vault still lists it."""
        if not missing:
            return
        listed = missing & await self.inventory.listed(account, missing, refresh=True)
        contradicted = ", ".join(sorted(target.name for target in listed))
        if contradicted:
            raise Transient(f"{contradicted}: listed, but not found", code="Contradiction")

    async def resolve(self, f: Facts, missing: MissingFacts) -> Facts:
        """Return the facts with the missing ones added."""
        if missing.versions:
            f = await self._with_versions(f)
        if missing.probe:
            f = await self._with_verdicts(f, missing.probe)
        if missing.stale_readers:
            f = replace(f, stale_readers=await self._stale_readers(f))
        return f

    async def _with_versions(self, f: Facts) -> Facts:
        lists = await gather_limited(self.vaults.read_versions(target.id) for target in f.targets)
        return replace(f, versions=tuple(version for versions in lists for version in versions))

    async def _with_verdicts(self, f: Facts, keys: tuple[Key, ...]) -> Facts:
        asked = [key for key in dict.fromkeys(keys) if key not in f.verdicts]
        control = f.control or await self.probe.try_random(f.account, f.keys.key1)
        verdicts = [await self.probe.try_key(f.account, key) for key in asked]
        return replace(
            f,
            control=control,
            verdicts={**f.verdicts, **dict(zip(asked, verdicts, strict=True))},
            now=self.clock.now(),
        )

    async def _stale_readers(self, f: Facts) -> tuple[str, ...]:
        """Return identities that read an old version and have not read the new one since."""
        if self.evidence is None:
            return ()
        found: set[str] = set()
        for target in f.targets:
            since = min(f.operation.started_at, target.created) - timedelta(days=1)
            readings = await self.evidence.readers(target.id.vault, target.id.name, since)
            moved = {r.identity for r in readings if r.version == target.version}
            moved |= {r.identity for r in readings if r.version is None and r.at > target.created}
            found |= {r.identity for r in readings} - moved
        return tuple(sorted(name for name in found if name.lower() not in self.ignored))


def check_rotatable(account: Account) -> Account:
    """Raise if the account cannot be rotated now."""
    if account.local_auth_disabled:
        raise Permanent(
            f"{account.id.name} has key authentication disabled, so it has no keys to rotate",
            code="LocalAuthDisabled",
            remedy="enable it, or remove the tags from its secrets",
        )
    if account.provisioning_state != _PROVISIONED:
        raise Transient(
            f"{account.id.name} is in state {account.provisioning_state}",
            code="AccountProvisioningStateInvalid",
            retry_after=timedelta(minutes=1),
        )
    return account
