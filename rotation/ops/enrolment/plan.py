"""Decides what enrolling an account does. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ...domain import tags
from ...domain.account import Account
from ...domain.ids import AccountId, TargetId
from ...domain.keys import Keys, Slot
from ...domain.policy import SHORTEST_VALIDITY
from ...domain.targets import ListedSecret, SecretSnapshot


class EnrolmentAction(StrEnum):
    """The effect of enrolling an account."""

    CREATE = "create"
    TAG = "tag"
    ADMIT = "admit"
    NOTHING = "nothing"
    REFUSE = "refuse"


_TRUSTED = "it receives new keys from now on, also in an emergency: check who can read and write it"


@dataclass(frozen=True)
class EnrolmentRequest:
    """An account to enrol, its secret, a key's validity and the key that consumers use now.

    ``shared``: the operator named the secret, so the account may have another one already.
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
class EnrolmentPlan:
    """The effect of enrolling one account, and why. ``slot`` is the key in use.

    ``warning`` is what the operator should know before it is applied.
    """

    account: AccountId
    target: TargetId
    action: EnrolmentAction
    why: str
    slot: Slot | None = None
    tags: Mapping[str, str] | None = None
    version: str = ""
    warning: str = ""

    @property
    def changes_something(self) -> bool:
        return self.action not in (EnrolmentAction.NOTHING, EnrolmentAction.REFUSE)

    @classmethod
    def refusing(cls, request: EnrolmentRequest, why: str) -> EnrolmentPlan:
        return cls(request.account.id, request.target, EnrolmentAction.REFUSE, why)

    @classmethod
    def nothing(cls, request: EnrolmentRequest, why: str) -> EnrolmentPlan:
        return cls(request.account.id, request.target, EnrolmentAction.NOTHING, why)


def decide(
    request: EnrolmentRequest,
    keys: Keys,
    secret: SecretSnapshot | None,
    enrolled: Iterable[ListedSecret],
) -> EnrolmentPlan:
    """Plan one enrolment. ``enrolled`` are the secrets already enrolled for the account."""
    done = _already_enrolled(request, enrolled)
    if done:
        return EnrolmentPlan.nothing(request, done)
    refusal = _refusal(request, keys, secret)
    if refusal:
        return EnrolmentPlan.refusing(request, refusal)
    slot = keys.slot_of(secret.value) if secret else request.in_use
    assert slot is not None
    wanted = _tags(request, slot, secret)
    enrolment = tags.read(wanted)
    if enrolment and enrolment.problems:
        return EnrolmentPlan.refusing(request, "; ".join(enrolment.problems))
    account, target = request.account.id, request.target
    if secret is None:
        why = f"will hold {slot}"
        return EnrolmentPlan(account, target, EnrolmentAction.CREATE, why, slot, wanted)
    why = f"holds {slot}; will be tagged"
    if secret.expires is None:
        why += "; no expiry, so the next sweep will rotate it"
    return EnrolmentPlan(account, target, EnrolmentAction.TAG, why, slot, wanted, secret.version)


def named(request: EnrolmentRequest) -> EnrolmentPlan:
    """Plan to trust an enrolled secret that was admitted only because it showed a key."""
    why = "already enrolled; will be trusted, because you name it"
    account, target = request.account.id, request.target
    return EnrolmentPlan(account, target, EnrolmentAction.ADMIT, why, warning=_TRUSTED)


def without_clashes(plans: Sequence[EnrolmentPlan]) -> list[EnrolmentPlan]:
    """Refuse the plans that would write one secret for several accounts."""
    times = Counter(plan.target for plan in plans if plan.changes_something)
    return [_clashing(plan) if times[plan.target] > 1 else plan for plan in plans]


def _clashing(plan: EnrolmentPlan) -> EnrolmentPlan:
    if not plan.changes_something:
        return plan
    why = "another account would get the same secret; enrol it alone, with --secret"
    return EnrolmentPlan(plan.account, plan.target, EnrolmentAction.REFUSE, why)


def _already_enrolled(request: EnrolmentRequest, enrolled: Iterable[ListedSecret]) -> str:
    """Return the reason to do nothing, if any."""
    for secret in enrolled:
        if secret.target == request.target:
            return "already enrolled"
        if not request.shared:
            return f"already enrolled with secret {secret.target.name}"
    return ""


def _refusal(request: EnrolmentRequest, keys: Keys, secret: SecretSnapshot | None) -> str:
    """Return the reason to refuse, if any."""
    if request.validity < SHORTEST_VALIDITY:
        return f"the validity is too short; use at least {SHORTEST_VALIDITY.days} days"
    if secret is None:
        return "" if request.in_use else "which key do consumers use? Give --in-use key1 or key2"
    owner = tags.enrolled(secret.tags)
    if owner and owner != request.account.id:
        return f"the secret is enrolled for {owner.name}; choose another name with --secret"
    slot = keys.slot_of(secret.value)
    if slot is None:
        return "the secret exists and holds neither key; choose another name with --secret"
    if request.in_use and request.in_use != slot:
        return f"the secret holds {slot}, not {request.in_use}; find out which one consumers use"
    return ""


def _tags(request: EnrolmentRequest, slot: Slot, secret: SecretSnapshot | None) -> dict[str, str]:
    """Return the secret's tags, with the service's own in place of other spellings of them."""
    service_tags = (tags.PROVIDER_ADDRESS, tags.VALIDITY_PERIOD_DAYS, *tags.WRITTEN)
    kept = tags.without(secret.tags if secret else {}, *service_tags)
    written = {tags.CREDENTIAL_ID: slot.value, tags.ROTATION_REASON: tags.ENROLLED}
    return {**kept, **request.tags, **written}
