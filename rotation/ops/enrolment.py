"""Enrolling accounts: a secret from the key in use, with the tags that hand it to the rotation.

From then on both keys belong to the rotation. Which key is in use is never guessed: a wrong guess
would regenerate the key that consumers hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from ..domain import policy as terms
from ..domain import tags
from ..domain.errors import Permanent, RotationError
from ..domain.model import Account, AccountId, Keys, Slot, Target, TargetId
from ..domain.policy import Policy
from ..ports import Accounts, Latest, Listed, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import together
from .survey import by_account

AT_ONCE = 8

_NEVER = datetime.fromtimestamp(0, UTC)


class Secrets(Vaults, Protocol):
    """Vaults that also show what is not enrolled."""

    async def latest(self, target: TargetId) -> Latest | None:
        """The latest version with its value, enrolled or not; None where there is none."""


class Will(StrEnum):
    """What enrolling an account does."""

    CREATE = "create"
    TAG = "tag"
    NOTHING = "nothing"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Wish:
    """What a person asks: the secret, how long a key is valid, which key consumers use now.

    ``shared``: a second secret for an account that has one already is meant.
    """

    account: Account
    target: TargetId
    validity: timedelta
    in_use: Slot | None = None
    shared: bool = False

    @property
    def tags(self) -> dict[str, str]:
        days = str(self.validity.days)
        return {tags.PROVIDER_ADDRESS: str(self.account.id), tags.VALIDITY_PERIOD_DAYS: days}


@dataclass(frozen=True)
class Plan:
    """What would be done for one account, and why. ``slot`` is the key in use."""

    account: AccountId
    target: TargetId
    will: Will
    why: str
    slot: Slot | None = None
    tags: Mapping[str, str] | None = None
    version: str = ""


def decide(
    wish: Wish, keys: Keys, found: Latest | None, enrolled: Iterable[Listed], policy: Policy
) -> Plan:
    """``found`` is the secret as it is, ``enrolled`` what is enrolled for the account already."""
    done = _done(wish, enrolled)
    if done:
        return _plan(wish, Will.NOTHING, done)
    refusal = _refusal(wish, keys, found, policy)
    if refusal:
        return _plan(wish, Will.REFUSE, refusal)
    slot = keys.slot_of(found.value) if found else wish.in_use
    assert slot is not None
    wanted = {**_kept(found), **wish.tags, tags.CREDENTIAL_ID: slot.value}
    wanted[tags.ROTATION_REASON] = tags.ENROLLED
    enrolment = tags.read(wanted)
    problems = enrolment.problems if enrolment else ()
    if problems:
        return _plan(wish, Will.REFUSE, "; ".join(problems))
    if found is None:
        return _plan(wish, Will.CREATE, f"holds {slot} from now on", slot, wanted)
    why = f"holds {slot} now and gets the tags"
    if found.expires is None:
        why += "; it has no expiry, so that the next sweep rotates it"
    return _plan(wish, Will.TAG, why, slot, wanted, found.version)


def _done(wish: Wish, enrolled: Iterable[Listed]) -> str:
    """By which secret the account is enrolled already, or nothing."""
    for secret in enrolled:
        if secret.target == wish.target:
            return "it is enrolled already"
        if not wish.shared:
            return f"it is enrolled already by secret {secret.target.name}"
    return ""


def _refusal(wish: Wish, keys: Keys, found: Latest | None, policy: Policy) -> str:
    """Why not, or nothing."""
    short = terms.too_short(wish.validity, max(policy.overlap, policy.lead - terms.NEAR_EXPIRY))
    if short:
        return short
    if found is None:
        return "" if wish.in_use else "which key do its consumers use? say --in-use key1 or key2"
    owner = tags.enrolled(found.tags)
    if owner and owner != wish.account.id:
        return f"the secret is enrolled for {owner.name}; choose another name with --secret"
    slot = keys.slot_of(found.value)
    if slot is None:
        return "the secret is there and holds neither key; choose another name with --secret"
    if wish.in_use and wish.in_use != slot:
        return f"the secret holds {slot}, not {wish.in_use}: find out what consumers use"
    return ""


def _kept(found: Latest | None) -> dict[str, str]:
    """A person's own tags; ours of another spelling give way."""
    given = found.tags if found else {}
    return tags.without(given, tags.PROVIDER_ADDRESS, tags.VALIDITY_PERIOD_DAYS, *tags.WRITTEN)


def _plan(
    wish: Wish,
    will: Will,
    why: str,
    slot: Slot | None = None,
    tagged: Mapping[str, str] | None = None,
    version: str = "",
) -> Plan:
    return Plan(wish.account.id, wish.target, will, why, slot, tagged, version)


@dataclass
class Enroller:
    """Plans, and then does what was agreed to, one account at a time."""

    accounts: Accounts
    secrets: Secrets
    clock: Clock
    policy: Policy

    async def plan(self, wishes: Iterable[Wish]) -> list[Plan]:
        """One plan for each; what cannot be read is a refusal that says so."""
        wishes = list(wishes)
        listed = [s for vault in self.secrets.urls async for s in self.secrets.enrolled(vault)]
        enrolled = by_account(listed)
        plans = (self._plan(wish, enrolled.get(wish.account.id, [])) for wish in wishes)
        return await together(plans, AT_ONCE)

    async def _plan(self, wish: Wish, enrolled: list[Listed]) -> Plan:
        if wish.account.local_auth_disabled:
            return _plan(wish, Will.NOTHING, "its keys are switched off (Entra ID only)")
        try:
            keys = await self.accounts.keys(wish.account.id)
            found = await self.secrets.latest(wish.target)
            if found is not None and found.value is None:
                return _plan(wish, Will.REFUSE, "the secret is disabled: its value cannot be read")
            return decide(wish, keys, found, enrolled, self.policy)
        except (RotationError, ValueError) as exc:
            return _plan(wish, Will.REFUSE, str(exc))

    async def carry_out(self, plan: Plan, validity: timedelta) -> None:
        """Create or tag. Raises RotationError; Permanent where the secret has come into being."""
        if plan.will is Will.TAG:
            await self.secrets.retag(plan.target, plan.version, plan.tags or {})
        if plan.will is not Will.CREATE or plan.slot is None:
            return
        if await self.secrets.latest(plan.target) is not None:
            text = f"{plan.target.name} has come into being meanwhile"
            raise Permanent(text, code="Conflict", remedy="enrol it again")
        tagged = dict(plan.tags or {})
        enrolment = tags.read(tagged)
        assert enrolment is not None
        key = (await self.accounts.keys(plan.account))[plan.slot]
        expires = self.clock.now() + validity
        empty = Target(plan.target, "", key, _NEVER, None, None, tagged, enrolment)
        await self.secrets.publish(empty, key, tagged, expires)
