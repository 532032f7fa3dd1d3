"""Commands that only look: status, why, plan, history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import health as verdict
from .. import output as screen
from ..arguments import Target, account_name, short
from ..clients.protocol import Reach, ask
from ..exit_status import Exit


async def status(reach: Reach, *, as_json: bool) -> Exit:
    fleet, health = await ask(reach, "GET", "secrets"), await ask(reach, "GET", "health")
    found, worries = verdict.of(fleet, health)
    if as_json:
        screen.show_json({"verdict": found.name.lower(), "worries": worries, **fleet})
        return found
    _show_fleet(fleet)
    for worry in worries:
        screen.say(f"! {worry}")
    if not worries:
        screen.say("All is well.")
    return found


def _show_fleet(fleet: Mapping[str, Any]) -> None:
    columns = ("SECRET", "STATE", "KEY", "AGE", "EXPIRES IN", "NEXT", "WHEN", "WHY NOT YET")
    managed = [
        (
            name(row),
            row["state"],
            row["slot"],
            screen.days(row["ageDays"]),
            screen.days(row["expiresInDays"]),
            row["next"],
            screen.moment(row["nextAt"]),
            row["error"]["message"] if row["error"] else row["why"],
        )
        for row in fleet["secrets"]
    ]
    if managed:
        screen.table(columns, managed)
    else:
        screen.say("No secret is enrolled yet: python -m rotation enrol --help")
    beside = fleet["unmanaged"]
    others = len(beside["accounts"]) + len(beside["secrets"])
    if others:
        screen.say(f"{others} beside them are unmanaged: python -m rotation discover")


def name(row: Mapping[str, Any]) -> str:
    return short(row["vault"], row["secret"])


async def why(reach: Reach, target: Target, *, as_json: bool) -> Exit:
    found = await ask(reach, "GET", target.path)
    row, now = found["secret"], found["now"]
    failing = Exit.FAILING if row["state"] == verdict.FAILING else Exit.OK
    result = Exit.ATTENTION if row["state"] in verdict.NEEDS_ATTENTION else failing
    if as_json:
        screen.show_json(found)
        return result
    screen.facts(
        {
            name(row): row["state"],
            "account": row["account"],
            "next": row["next"],
            "waits for": (now or {}).get("reason") or row["why"],
            "until": screen.moment((now or {}).get("until") or row["nextAt"]),
            "last error": (row["error"] or {}).get("message"),
            "what to do": (row["error"] or {}).get("remedy"),
        }
    )
    show_effects((now or {}).get("effects", []))
    return result


def show_effects(effects: list[str], title: str = "then") -> None:
    for number, effect in enumerate(effects, 1):
        screen.say(f"{title if number == 1 else '':<{len(title)}} {number}. {effect}")


async def plan(reach: Reach, *, as_json: bool) -> Exit:
    found = await ask(reach, "GET", "plan")
    result = Exit.ATTENTION if found["problems"] else Exit.OK
    if as_json:
        screen.show_json(found)
        return result
    screen.say(f"The next sweep looks at {found['accounts']} accounts.")
    columns = ("ACCOUNT", "SECRETS", "ACTION", "WHY", "UNTIL")
    screen.table(columns, (_planned(would) for would in found["would"]))
    for problem in found["problems"]:
        screen.say(f"! {problem}")
    return result


def _planned(would: Mapping[str, Any]) -> tuple[str, ...]:
    secrets = ", ".join(would["secrets"] or ())
    return (
        account_name(would["account"]),
        secrets,
        would["action"],
        would["reason"],
        screen.moment(would["until"]),
    )


async def history(reach: Reach, target: Target, *, as_json: bool) -> Exit:
    found = await ask(reach, "GET", target.path)
    if as_json:
        screen.show_json({"versions": found["versions"], "rotations": found["rotations"]})
        return Exit.OK
    screen.say("Versions, the newest first")
    columns = ("CREATED", "VERSION", "KEY", "ENABLED", "EXPIRES", "ROTATION", "REASON")
    screen.table(columns, (_version(version) for version in found["versions"]))
    screen.say("Rotations, the newest first")
    columns = ("ASKED", "ROTATION", "PURPOSE", "STATE", "BY", "REASON", "OUTCOME")
    screen.table(columns, (_rotation(rotation) for rotation in found["rotations"]))
    for rotation in found["rotations"]:
        for entry in rotation.get("audit", ()):
            screen.say(f"  {screen.moment(entry['at'])}  {rotation['id']}  {entry['what']}")
    return Exit.OK


def _version(version: Mapping[str, Any]) -> tuple[Any, ...]:
    enabled = "yes" if version["enabled"] else "no"
    made, expires = screen.moment(version["created"]), screen.moment(version["expires"])
    rest = (version["rotation"], version["reason"])
    return made, version["version"], version["slot"], enabled, expires, *rest


def _rotation(rotation: Mapping[str, Any]) -> tuple[Any, ...]:
    asked = screen.moment(rotation.get("startedAt") or rotation.get("requestedAt"))
    names = ("id", "purpose", "state", "requester", "reason", "outcome")
    return asked, *(rotation.get(name) for name in names)


async def doctor(reach: Reach, *, as_json: bool) -> Exit:
    found = await ask(reach, "GET", "doctor")
    if as_json:
        screen.show_json(found)
    else:
        columns = ("CHECK", "STATE", "WHAT", "FOUND")
        screen.table(columns, (_finding(finding) for finding in found["findings"]))
        _advise(found["findings"])
    return {"failed": Exit.FAILING, "warning": Exit.ATTENTION}.get(found["verdict"], Exit.OK)


def _finding(finding: Mapping[str, Any]) -> tuple[str, ...]:
    subject = str(finding["subject"]).removeprefix("https://").rpartition("/accounts/")[2]
    return finding["check"], finding["state"], subject, finding["detail"]


def _advise(findings: list[Mapping[str, Any]]) -> None:
    """Each remedy once, and whom it is for."""
    fixes = dict.fromkeys(f["fix"] for f in findings if f["fix"] and f["state"] != "ok")
    for fix in fixes:
        screen.say(f"→ {fix}")
    if not fixes:
        screen.say("Everything is there.")
