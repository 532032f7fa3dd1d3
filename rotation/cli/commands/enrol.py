"""The command that hands accounts to the rotation. Nothing is done before it was foretold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ...domain.errors import RotationError
from ...domain.model import Account, Slot, TargetId
from ...ops.enrolment import Plan, Will, Wish
from .. import output as screen
from ..arguments import short, vault_name
from ..clients.operator import own_hands
from ..exit_status import Exit, Failed
from ..options import Manner

if TYPE_CHECKING:
    from ...bootstrap import Hands

WARNING = """\
From now on BOTH keys of these accounts belong to the rotation. At the next rotation it makes the
key that is not in use new: whoever uses that one outside the vault loses it. Consumers read the
secret by its name and get the latest version."""


@dataclass(frozen=True)
class Enrolling:
    """What to enrol. ``which`` is an account's id, its name, or a pattern of names."""

    which: str
    subscriptions: Sequence[str]
    vault: str
    secret: str
    validity: timedelta
    in_use: Slot | None


async def enrol(asked: Enrolling, how: Manner) -> Exit:
    async with own_hands() as hands:
        wishes = await _wishes(hands, asked)
        plans = await hands.enroller.plan(wishes)
        work = [plan for plan in plans if plan.will in (Will.CREATE, Will.TAG)]
        if not how.as_json:
            _foretell(plans, work)
        if work and not how.dry_run:
            how.agree(f"Enrol {len(work)} account(s)?")
        done = [] if how.dry_run else await _carry_out(hands, work, asked.validity)
    if how.as_json:
        screen.show_json({"plans": [_plan(plan) for plan in plans], "failed": done})
    elif work and not how.dry_run:
        screen.say("Enrolled. Check what the service needs: python -m rotation doctor")
    refused = any(plan.will is Will.REFUSE for plan in plans)
    return Exit.FAILING if done else Exit.REFUSED if refused else Exit.OK


async def _wishes(hands: Hands, asked: Enrolling) -> list[Wish]:
    vault = _vault(hands.discovery.vaults.urls, asked.vault)
    accounts = await _meant(hands, asked)
    if asked.secret and len(accounts) > 1:
        raise Failed(Exit.USAGE, f"{len(accounts)} accounts cannot share one --secret", "name one")
    return [
        Wish(
            account,
            TargetId(vault, asked.secret or f"{account.id.name.replace('.', '-')}-key"),
            asked.validity,
            asked.in_use,
            shared=bool(asked.secret),
        )
        for account in accounts
    ]


def _vault(known: tuple[str, ...], given: str) -> str:
    found = [url for url in known if given in ("", url) or url.startswith(f"https://{given}.")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(map(vault_name, known))
    raise Failed(Exit.USAGE, "into which vault?", f"say --vault with one of: {names}")


async def _meant(hands: Hands, asked: Enrolling) -> list[Account]:
    """The accounts by their id or by a pattern of their names. Raises Failed for none."""
    subscriptions = asked.subscriptions or await hands.discovery.resources.subscriptions()
    seen = [a for s in subscriptions for a in await hands.discovery.accounts.readable(s)]
    wanted = asked.which.lower()
    found = [a for a in seen if wanted == str(a.id).lower() or fnmatchcase(a.id.name, wanted)]
    if not found:
        text = f"none of the {len(seen)} accounts that you can see is {asked.which!r}"
        raise Failed(Exit.USAGE, text, "look at them: python -m rotation discover")
    return found


def _foretell(plans: Sequence[Plan], work: Sequence[Plan]) -> None:
    columns = ("ACCOUNT", "SECRET", "WILL", "WHY")
    screen.table(columns, map(_row, plans))
    if work:
        screen.say(WARNING)


def _row(plan: Plan) -> tuple[str, ...]:
    secret = short(plan.target.vault, plan.target.name)
    return plan.account.name, secret, plan.will, plan.why


async def _carry_out(hands: Hands, work: Sequence[Plan], validity: timedelta) -> list[str]:
    """One after the other; what failed, in words. One that fails stops no other."""
    failed = []
    with screen.progress("accounts") as seen:
        for number, plan in enumerate(work, 1):
            try:
                await hands.enroller.carry_out(plan, validity)
            except RotationError as exc:
                failed.append(f"{plan.account.name}: {exc}")
                screen.warn(f"{plan.account.name}: {exc.advice}")
            seen(number, len(work))
    return failed


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "account": str(plan.account),
        "secret": str(plan.target),
        "will": plan.will.value,
        "why": plan.why,
        "inUse": plan.slot,
    }
