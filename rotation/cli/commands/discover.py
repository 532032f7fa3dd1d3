"""The command that looks at every account there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ops.discovery import Survey
from ...ops.management import MEANING, Found, Holding
from .. import output as screen
from ..arguments import short
from ..clients.operator import own_hands
from ..exit_status import Exit


async def discover(subscriptions: Sequence[str], *, as_json: bool) -> Exit:
    async with own_hands() as hands:
        with screen.progress("accounts") as seen:
            survey = await hands.discovery.look(subscriptions, seen)
    if as_json:
        screen.show_json(_plain(survey))
    else:
        _show(survey)
    wrong = survey.problems or any(found.wrong for found in survey.found)
    return Exit.ATTENTION if wrong else Exit.OK


def _show(survey: Survey) -> None:
    if survey.found:
        columns = ("ACCOUNT", "KIND", "STANDING", "SECRETS", "REMARKS")
        screen.table(columns, map(_row, survey.found))
    else:
        screen.say("No account can be seen. Sign in (az login) with a right to read accounts.")
    for standing in {found.standing: None for found in survey.found}:
        screen.say(f"{standing}: {MEANING[standing]}")
    if survey.key_like:
        names = ", ".join(short(one.vault, one.name) for one in survey.key_like)
        screen.say(f"not enrolled, but named like keys: {names}")
        screen.say(
            "  if one holds an account's key: python -m rotation enrol ACCOUNT --secret NAME"
        )
    for vault in survey.other_vaults:
        screen.say(f"! {vault} is not in ROTATION_VAULTS: what is enrolled there is not seen")
    for problem in survey.problems:
        screen.say(f"! {problem}")


def _row(found: Found) -> tuple[str, ...]:
    secrets = "\n".join(
        f"{short(one.target.vault, one.target.name)} {_holds(one)}" for one in found.secrets
    )
    return found.account.name, found.kind, found.standing, secrets, "\n".join(found.remarks)


def _holds(one: Holding) -> str:
    return f"({one.slot})" if one.slot else "(?)" if one.unread else "(neither key)"


def _plain(survey: Survey) -> dict[str, Any]:
    accounts = [
        {
            "account": str(f.account),
            "kind": f.kind,
            "standing": f.standing.value,
            "secrets": [{"secret": str(one.target), "slot": one.slot} for one in f.secrets],
            "remarks": list(f.remarks),
        }
        for f in survey.found
    ]
    return {
        "accounts": accounts,
        "standings": MEANING,
        "keyLike": [str(target) for target in survey.key_like],
        "otherVaults": list(survey.other_vaults),
        "problems": list(survey.problems),
    }
