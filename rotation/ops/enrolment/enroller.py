"""Plans enrolments from what Azure holds, and applies the plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ...domain import tags
from ...domain.account import Account
from ...domain.bindings import Bound, not_bound
from ...domain.errors import Permanent, RotationError
from ...domain.keys import Keys
from ...domain.targets import ListedSecret, Target
from ...engine.bindings import BindingRegistry
from ...engine.journal import Journal
from ...ports import Accounts, Vaults
from ...runtime import log
from ...runtime.clock import Clock
from ...runtime.concurrency import gather_limited
from ..proof import FIX, Prover
from ..survey import by_account
from .admission import admitted, is_trusted
from .plan import EnrolmentAction, EnrolmentPlan, EnrolmentRequest, decide, named, without_clashes

CONCURRENCY = 8

_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass
class Enroller:
    """Plans enrolments and applies them, one account at a time.

    Without ``journal`` the service admits the secret at its next sweep, if it shows a current key.
    """

    accounts: Accounts
    secrets: Vaults
    clock: Clock
    bindings: BindingRegistry
    prover: Prover
    journal: Journal | None = None

    async def plan(self, requests: Iterable[EnrolmentRequest]) -> list[EnrolmentPlan]:
        """Return a plan for each request. A plan refuses if something could not be read."""
        vaults = self.secrets
        listed = [s for vault in vaults.urls async for s in vaults.list_secrets(vault)]
        enrolled = by_account(listed)
        plans = (self._plan(request, enrolled.get(request.account.id, [])) for request in requests)
        return without_clashes(await gather_limited(plans, CONCURRENCY))

    async def _plan(self, request: EnrolmentRequest, enrolled: list[ListedSecret]) -> EnrolmentPlan:
        if request.account.local_auth_disabled:
            return EnrolmentPlan.nothing(request, "key authentication is disabled (Entra ID only)")
        try:
            keys = await self.accounts.keys(request.account.id)
            secret = await self.secrets.get_secret(request.target)
            if secret is not None and secret.value is None:
                why = "the secret is disabled, so its value cannot be read"
                return EnrolmentPlan.refusing(request, why)
            plan = decide(request, keys, secret, enrolled)
            done = plan.action is EnrolmentAction.NOTHING
            if done and await self._is_to_trust(request, enrolled):
                plan = named(request)
            return await self._proven(await self._warned(plan), request.account, keys)
        except (RotationError, ValueError) as exc:
            return EnrolmentPlan.refusing(request, str(exc))

    async def _is_to_trust(self, request: EnrolmentRequest, enrolled: list[ListedSecret]) -> bool:
        """Return whether the operator names an enrolled secret that nobody has named before."""
        if not request.shared or all(s.target != request.target for s in enrolled):
            return False
        record = await self.journal.find(request.account.id.slug) if self.journal else None
        return record is not None and not is_trusted(record, request.target)

    async def _warned(self, plan: EnrolmentPlan) -> EnrolmentPlan:
        """Warn if the service would not publish a key in this secret."""
        if not plan.changes_something:
            return plan
        try:
            bindings = await self.bindings.current()
        except RotationError as exc:
            return replace(plan, warning=f"the service's bindings cannot be read: {exc}")
        if bindings.of(plan.target, plan.account) is Bound.NONE:
            return replace(plan, warning=not_bound(plan.target, plan.account))
        return replace(plan, warning=self.bindings.difference or plan.warning)

    async def _proven(self, plan: EnrolmentPlan, account: Account, keys: Keys) -> EnrolmentPlan:
        """Warn if no probe proves the account's keys: its rotations would wait."""
        if not plan.changes_something:
            return plan
        proof = await self.prover.prove(account, keys)
        if proof.is_given:
            return plan
        text = f"{account.id.name}: from here, its keys cannot be verified: {proof.detail}. {FIX}"
        return replace(plan, warning="; ".join(filter(None, (plan.warning, text))))

    async def apply(self, plan: EnrolmentPlan, validity: timedelta) -> None:
        """Create or tag the secret, and admit it. Raises RotationError.

        Raises Permanent if a secret that is to be created exists by now.
        """
        if plan.action is EnrolmentAction.TAG:
            await self.secrets.set_tags(plan.target, plan.version, plan.tags or {})
        elif plan.action is EnrolmentAction.CREATE:
            await self._create(plan, validity)
        await self._admit(plan)

    async def _admit(self, plan: EnrolmentPlan) -> None:
        """Admit a secret. If that fails after it was written, the service admits it later."""
        if self.journal is None or not plan.changes_something:
            return
        try:
            await self.journal.amend(
                plan.account, lambda record: admitted(record, plan.target, self.clock.now())
            )
        except RotationError as exc:
            if plan.action is EnrolmentAction.ADMIT:
                raise
            log.warning("not admitted", secret=str(plan.target), reason=exc.advice)

    async def _create(self, plan: EnrolmentPlan, validity: timedelta) -> None:
        if await self.secrets.get_secret(plan.target) is not None:
            text = f"{plan.target.name} was created in the meantime"
            raise Permanent(text, code="Conflict", remedy="enrol it again")
        tagged = dict(plan.tags or {})
        enrolment = tags.read(tagged)
        assert enrolment is not None
        assert plan.slot is not None
        key = (await self.accounts.keys(plan.account))[plan.slot]
        expires = self.clock.now() + validity
        empty = Target(plan.target, "", key, _NEVER, None, None, tagged, enrolment)
        await self.secrets.publish(empty, key, tagged, expires)
