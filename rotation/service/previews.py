"""Previews: what a secret's next step, a request or the next sweep would do. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..domain.errors import RotationError
from ..domain.ids import AccountId, TargetId
from ..domain.record import Record
from ..domain.request import Request
from ..domain.targets import VersionInfo
from ..engine.inventory import Inventory
from ..engine.reconciler import Reconciler
from ..ports import Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import gather_limited
from . import inbox
from .queries import Queries
from .replies.preview import DryRunReply, PlanReply, PreviewReply
from .replies.rotation import RotationReply
from .replies.secret import SecretReply
from .requests import RotationRequest
from .scope import Scope
from .sweep import Sweep
from .views import effects, fleet, in_force, versions

MAX_ACCOUNTS = 20

AT_ONCE = 4


@dataclass
class Previews:
    """Asks the reconciler for its next step, at most 20 accounts at a time."""

    queries: Queries
    scope: Scope
    reconciler: Reconciler
    sweeper: Sweep
    inventory: Inventory
    vaults: Vaults
    clock: Clock

    async def secret(self, target: TargetId) -> SecretReply:
        """Return one secret with its next step, its versions and its rotations.

        Raises Permanent if the secret is not enrolled, and RotationError if that is not known.
        """
        row = await self.queries.row(target)
        revisions, problems = await self._versions(target)
        now = self.clock.now()
        return SecretReply(
            at=now,
            secret=fleet.build(row, now),
            now=await self._preview(row.account) if row.account else None,
            versions=versions.build(target, revisions, await self._record(row.account)),
            rotations=await self._rotations(row.account) if row.account else [],
            problems=[*row.problems, *problems],
            settings=in_force.build(await self._tags(target), self.queries.policy),
        )

    async def _tags(self, target: TargetId) -> Mapping[str, str]:
        """Return the tags of a secret as its vault lists them; none if it does not."""
        listings = await self.inventory.listings()
        listed = (secret for listing in listings for secret in listing.secrets)
        return next((secret.tags for secret in listed if secret.target == target), {})

    async def _versions(self, target: TargetId) -> tuple[tuple[VersionInfo, ...], list[str]]:
        """Return the versions, or why they cannot be read."""
        try:
            return await self.vaults.list_versions(target), []
        except RotationError as exc:
            return (), [exc.advice]

    async def _record(self, account: AccountId | None) -> Record | None:
        """Return the account's record; None if there is none that can be read."""
        return (await self.queries.records()).get(account.slug) if account else None

    async def _rotations(self, account: AccountId) -> list[RotationReply]:
        return (await self.queries.rotations(account=str(account))).rotations

    async def request(self, request: RotationRequest) -> DryRunReply:
        """Return what a request would do. Only the first 20 accounts are previewed."""
        accounts = await self.scope.accounts(request)
        rows, _ = await self.queries.rows()
        now = self.clock.now()
        requests = [
            inbox.from_operator(account, request, now) for account in accounts[:MAX_ACCOUNTS]
        ]
        previews = map(self._preview, accounts, requests)
        return DryRunReply(
            dry_run=True,
            accounts=len(accounts),
            secrets=sum(row.account in set(accounts) for row in rows),
            would=await gather_limited(previews, AT_ONCE),
        )

    async def next_sweep(self) -> PlanReply:
        """Return what the next sweep would do. Only the 20 most urgent accounts are previewed."""
        plan = await self.sweeper.plan(await self.inventory.listings(refresh=True))
        accounts = [visit.account for visit in plan.visits]
        return PlanReply(
            accounts=len(accounts),
            would=await gather_limited(map(self._preview, accounts[:MAX_ACCOUNTS]), AT_ONCE),
            problems=list(plan.problems),
        )

    async def _preview(self, account: AccountId, request: Request | None = None) -> PreviewReply:
        known = await self.inventory.targets(account, ())
        try:
            return effects.describe(*await self.reconciler.explain(account, known, request))
        except RotationError as exc:
            return effects.describe_error(account, exc)
