"""Commands that ask for something: rotate, emergency, cancel, resume, abandon, pause.

What cannot be taken back is foretold first, and asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import output as screen
from ..arguments import Target, account_name
from ..clients.protocol import Reach, ask
from ..exit_status import Exit
from ..follow import follow, follow_all
from ..options import Manner
from .inspect import show_effects

MAX_SHOWN = 5


async def rotate(reach: Reach, body: dict[str, Any], how: Manner) -> Exit:
    """A rotation, or with ``leaked`` an emergency."""
    foreseen = await ask(reach, "POST", "rotations", {**body, "dry_run": True})
    if how.dry_run and how.as_json:
        screen.show_json(foreseen)
    elif not how.as_json:
        _show(foreseen)
    if how.dry_run:
        return Exit.OK
    if "leaked" in body or not ("secret" in body or "account" in body):
        how.agree(f"Go on with {foreseen['accounts']} account(s)?")
    if body.get("all"):
        body = {**body, "confirm": foreseen["accounts"]}
    headers = {"Idempotency-Key": how.key} if how.key else {}
    made = await ask(reach, "POST", "rotations", body, headers=headers)
    if "batch" in made:
        return await _batch(reach, made, how)
    if not how.as_json:
        screen.say(f"Accepted: {made['id']}")
    if how.wait:
        return await follow(reach, made["id"], as_json=how.as_json, leave=True)
    if how.as_json:
        screen.show_json(made)
    else:
        screen.say(f"Follow it: python -m rotation watch {made['id']}")
    return Exit.OK


def _show(foreseen: Mapping[str, Any]) -> None:
    screen.say(f"This is about {foreseen['accounts']} account(s), {foreseen['secrets']} secret(s).")
    for would in foreseen["would"][:MAX_SHOWN]:
        account = account_name(would["account"])
        screen.say(f"{account}: {would['reason']}" if would["reason"] else account)
        show_effects(would["effects"], "  will")
    more = foreseen["accounts"] - min(len(foreseen["would"]), MAX_SHOWN)
    if more > 0:
        screen.say(f"… and {more} more accounts")


async def _batch(reach: Reach, made: Mapping[str, Any], how: Manner) -> Exit:
    """Many accounts: what was refused is named, the others are watched."""
    result = Exit.OK
    states: dict[str, int] = {}
    if how.wait:
        result, states = await follow_all(reach, made["batch"], len(made["rotations"]))
    if how.as_json:
        screen.show_json({**made, "states": states})
    else:
        screen.say(f"Accepted for {len(made['rotations'])} of {made['accounts']} accounts.")
        screen.say(", ".join(f"{count} {state}" for state, count in states.items()))
        for one in made["failed"]:
            screen.warn(f"{one['account']}: {one['error']}")
        screen.say("All of them: python -m rotation status")
    return Exit.FAILING if made["failed"] else result


async def cancel(reach: Reach, name: str, reason: str, *, as_json: bool) -> Exit:
    found = await ask(reach, "DELETE", f"rotations/{name}", query={"reason": reason})
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"{name}: {found['state']}")
    return Exit.OK


async def answer(reach: Reach, name: str, what: str, reason: str, how: Manner) -> Exit:
    """``resume`` or ``abandon`` a blocked operation, after it was said what that does."""
    path = f"rotations/{name}/{what}"
    foreseen = await ask(reach, "POST", path, {"reason": reason, "dry_run": True})
    if not how.as_json or how.dry_run:
        screen.say(f"{what}: {foreseen['will']}")
    if how.dry_run:
        return Exit.OK
    how.agree("Go on?")
    made = await ask(reach, "POST", path, {"reason": reason})
    if how.as_json:
        screen.show_json(made)
        return Exit.OK
    return await follow(reach, name, as_json=False, leave=True) if how.wait else Exit.OK


async def pause(reach: Reach, target: Target, reason: str, *, held: bool, as_json: bool) -> Exit:
    what = "pause" if held else "resume"
    found = await ask(reach, "POST", f"{target.path}/{what}", {"reason": reason})
    if as_json:
        screen.show_json(found)
    else:
        state = "paused: repairs and emergencies go on" if found["paused"] else "no longer paused"
        screen.say(f"{target.vault}/{target.secret} is {state}")
    return Exit.OK
