"""Generates replies of the API for large and old fleets. They are checked against its document."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema

from rotation.domain.access import Role
from rotation.service.replies.fleet import SecretState

DOCUMENT = Path(__file__).parents[3] / "rotation/web/openapi.json"
DAY = timedelta(days=1)
TEAMS = ("search", "chat", "claims", "billing", "support", "legal", "vision", "speech", "maps")
STAGES = ("prod", "test", "dev", "eu", "us")
# The states of a large fleet on an ordinary day.
ORDINARY = {"healthy": 900, "overlap": 40, "due": 20, "rotating": 12, "revoking": 8, "paused": 12}
ORDINARY |= {"failing": 4, "refused": 3, "drifted": 1}
WHY = {
    "healthy": "next rotation 2027-01-19; its secret expires 2027-02-21",
    "due": "outside the window Mon-Fri 22:00-04:00 Europe/Berlin",
    "rotating": "1 of 2 successful probes of the new key",
    "overlap": "waiting for consumers to switch to the new key",
    "revoking": "1 of 2 proofs that the old key is refused",
    "paused": "held by the tag RotationPaused",
    "drifted": "the live key was regenerated outside the service",
    "failing": "the new key is not accepted yet",
    "refused": "key authentication is disabled",
}
NEXT = {"healthy": "rotate", "due": "rotate", "paused": "rotate", "rotating": "verify the new key"}
NEXT |= {"overlap": "revoke the old key", "revoking": "verify that the old key is refused"}
NEXT |= {"drifted": "publish the new key"}
TROUBLE = {
    "failing": (
        "new-key-not-proven",
        "the new key was not accepted within an hour",
        "look at the account's network rules, then resume or abandon",
    ),
    "refused": (
        "LocalAuthDisabled",
        "key authentication is disabled on the account, so it has no keys to rotate",
        "switch it on, or remove the secret's tags",
    ),
}


def valid(name: str, body: Mapping[str, Any]) -> str:
    """Return the body as JSON. Raises ValidationError if it does not match the API's document."""
    document = json.loads(DOCUMENT.read_text())
    jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}"} | document)
    return json.dumps(body)


def fleet(count: int, now: datetime, states: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return a fleet of that many secrets; the same number gives the same fleet."""
    chance = random.Random(count)
    weights = states or ORDINARY
    drawn = chance.choices(list(weights), list(weights.values()), k=count)
    rows = [_row(number, SecretState(state), now, chance) for number, state in enumerate(drawn)]
    account = "/subscriptions/s/resourceGroups/rg-old/providers/x/accounts/oai-forgotten"
    forgotten = {"account": account, "accountName": "oai-forgotten", "kind": "OpenAI"}
    return {
        "at": text(now),
        "caller": {"name": "ada@contoso.example", "roles": [role.value for role in Role]},
        "verdict": _verdict(drawn),
        "summary": {
            "secrets": count,
            "accounts": count,
            "states": dict(Counter(drawn)),
            "oldestKeyDays": max(row["ageDays"] for row in rows),
            "nextExpiryDays": min(row["expiresInDays"] for row in rows),
            "lastSweep": {
                "at": text(now - timedelta(minutes=4)),
                "ageSeconds": 240,
                "accounts": count,
                "problems": [],
                "stopped": "",
            },
        },
        "secrets": rows,
        "unmanaged": {
            "accounts": [forgotten | {"reason": "no secret is enrolled for it"}],
            "secrets": [
                {"vault": vault(2), "secret": "old-api-key", "reason": "it is not enrolled"}
            ],
        },
        "problems": [],
    }


def _verdict(states: list[str]) -> dict[str, Any]:
    counts = Counter(states)
    noted = [one for one in ("failing", "refused", "drifted", "paused") if counts[one]]
    level = "failing" if counts["failing"] else "attention" if noted else "ok"
    return {"level": level, "reasons": [f"{counts[one]} {one}" for one in noted]}


def _row(number: int, state: SecretState, now: datetime, chance: random.Random) -> dict[str, Any]:
    name = f"{TEAMS[number % 9]}-{STAGES[number // 9 % 5]}-{number}"
    age = chance.uniform(0.1, 1) if state.value in NEXT and state != "healthy" else 0
    published = now - DAY * (age or chance.uniform(2, 58))
    code, message, remedy = TROUBLE.get(state.value, ("", "", ""))
    error = {"code": code, "message": message, "remedy": remedy, "since": text(now - DAY / 5)}
    busy = state.value in ("rotating", "revoking", "overlap", "drifted")
    wait = timedelta(minutes=1) if busy and state != "overlap" else DAY * chance.uniform(0.2, 1)
    return {
        "vault": vault(number % 3),
        "secret": f"{name}-key",
        "account": account_id(name),
        "accountName": f"oai-{name}",
        "slug": slug(number),
        "state": state.value,
        "slot": chance.choice(("Key1", "Key2")),
        "publishedAt": text(published),
        "ageDays": round((now - published) / DAY, 1),
        "expires": text(published + 90 * DAY),
        "expiresInDays": round((published + 90 * DAY - now) / DAY, 1),
        "next": NEXT.get(state.value, "rotate"),
        "nextAt": text(published + 60 * DAY if state == "healthy" else now + wait),
        "why": WHY[state.value],
        "phase": {"overlap": "overlap", "rotating": "verify", "revoking": "prove"}.get(
            state.value, "idle"
        ),
        "operation": f"{slug(number)}-abcdef" if busy else None,
        "lastOperation": None,
        "error": error if code else None,
        "problems": [],
    }


def account(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return an account with six rotations: one an emergency, the last one in its overlap."""
    starts = [now - DAY * days for days in (241, 183, 124, 93, 36, 0.4)]
    done = [_operation(row, number, at) for number, at in enumerate(starts)]
    running = done.pop()
    spans = {"Key1": [], "Key2": []}  # type: dict[str, list[dict[str, Any]]]
    for number, at in enumerate(starts):
        until = starts[number + 1] if number + 1 < len(starts) else None
        valid_until = until and until + (timedelta() if number == 2 else timedelta(hours=26))
        slot = row["slot"] if number % 2 else ("Key1" if row["slot"] == "Key2" else "Key2")
        spans[slot].append(
            {
                "from": text(at),
                "until": text(until) if until else None,
                "overlapUntil": text(valid_until) if valid_until else None,
                "operation": f"{row['slug']}-00{number}",
            }
        )
    overlap = text(starts[-1] + timedelta(hours=26))
    running |= {"state": "running", "phase": "overlap", "overlapUntil": overlap}
    running |= {"waitingFor": WHY["overlap"], "waitingUntil": overlap}
    for name in ("endedAt", "outcome", "proven"):
        del running[name]
    running["audit"] = running["audit"][:4]
    return {
        "account": row["account"],
        "slug": row["slug"],
        "at": text(now),
        "slots": spans,
        "next": {"what": "overlap", "why": WHY["overlap"], "at": overlap},
        "running": running,
        "waiting": [],
        "history": done[::-1],
    }


def _operation(row: Mapping[str, Any], number: int, at: datetime) -> dict[str, Any]:
    leak = number == 3
    spare, live = (
        ("Key1", "Key2") if (row["slot"] == "Key1") == bool(number % 2) else ("Key2", "Key1")
    )
    overlap = timedelta() if leak else timedelta(hours=26)
    steps = [
        (0, f"{'emergency' if leak else 'rotate'} begins in regenerate: it is due"),
        (2, f"regenerate {spare}"),
        (40, f"publish: {spare} works"),
        (42, f"overlap: published to {row['secret']}"),
        (44 + overlap.total_seconds(), f"regenerate {live}"),
        (80 + overlap.total_seconds(), "ended: the old key is refused"),
    ]
    return {
        "id": f"{row['slug']}-00{number}",
        "account": row["account"],
        "state": "ended",
        "purpose": "emergency" if leak else "rotate",
        "phase": "idle",
        "reason": "pasted into a public chat" if leak else "the secret nears its expiry",
        "requester": "ada@contoso.example" if leak else "schedule",
        "beganIn": "regenerate",
        "startedAt": text(at),
        "endedAt": text(at + overlap + timedelta(seconds=80)),
        "outcome": "the old key is refused",
        "proven": True,
        "audit": [{"at": text(at + timedelta(seconds=s)), "what": what} for s, what in steps],
    }


def vault(number: int) -> str:
    return f"https://kv-{('east', 'west', 'shared')[number]}.vault.azure.net"


def account_id(name: str) -> str:
    group = f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-{name}"
    return f"{group}/providers/Microsoft.CognitiveServices/accounts/oai-{name}"


def slug(number: int) -> str:
    return f"{number:016x}"


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
