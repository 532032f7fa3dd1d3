"""Removes a secret from the rotation of its account. No key changes."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain import tags
from ...domain.errors import unenrolled
from ...domain.ids import AccountId, TargetId, target_id
from ...domain.record import Record
from ...domain.targets import SecretSnapshot
from ...engine.emergencies import Emergencies
from ...engine.journal import Journal
from ...ports import Vaults
from ...runtime.clock import Clock
from ..survey import by_account
from .leaving import LeavingPlan, check_idle, decide, left, under_way


@dataclass
class Unenroller:
    """Plans that a secret leaves, and carries the plan out.

    Without ``journal`` the secret leaves one overlap after its tag is gone, by the service's rules.
    """

    vaults: Vaults
    clock: Clock
    emergencies: Emergencies
    journal: Journal | None = None

    async def plan(self, target: TargetId) -> LeavingPlan:
        """Return the plan.

        Raises Permanent if the secret is not enrolled or something is under way, and RotationError
        if Azure or the journal cannot be read.
        """
        secret = await self.vaults.get_secret(target)
        account, record = await self._owner(target, secret)
        if self.journal is not None:
            await self._check_idle(account, record)
        others = await self._others(target, account, record)
        return decide(target, account, secret, others, at_once=self.journal is not None)

    async def apply(self, plan: LeavingPlan) -> None:
        """Remove the tag, and the secret from the record. Raises RotationError.

        The tag goes first: with it, a sweep would admit the secret again.
        """
        if plan.tags is not None:
            await self.vaults.set_tags(plan.target, plan.version, plan.tags)
        if self.journal is not None:
            now = self.clock.now()
            await self.journal.amend(plan.account, lambda r: left(r, plan.target, now))

    async def _check_idle(self, account: AccountId, record: Record | None) -> None:
        """Raise Permanent while a rotation or an emergency is under way."""
        for found in await self.emergencies.of(account):
            if found.is_open:
                raise under_way(account, found.id)
        if record is not None:
            check_idle(record)

    async def _owner(
        self, target: TargetId, secret: SecretSnapshot | None
    ) -> tuple[AccountId, Record | None]:
        """Return the account of a secret, by its tag or by the record that has it as a member."""
        account = tags.account_of(secret.tags) if secret else None
        if account is not None:
            return account, await self.journal.find(account.slug) if self.journal else None
        if self.journal is not None:
            async for slug in self.journal.slugs():
                record = await self.journal.find(slug)
                if record and str(target) in record.members:
                    return record.account, record
        raise unenrolled(str(target))

    async def _others(
        self, target: TargetId, account: AccountId, record: Record | None
    ) -> tuple[TargetId, ...]:
        """Return the account's other secrets: those that are tagged, and members."""
        listed = [s for url in self.vaults.urls async for s in self.vaults.list_secrets(url)]
        found = {secret.target for secret in by_account(listed).get(account, [])}
        found |= {target_id(name) for name in record.members} if record else set()
        return tuple(sorted(found - {target}))
