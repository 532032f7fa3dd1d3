# mypy: ignore-errors
"""Write data/ with the version before the move into packages (commit a0e8d1f).

Run it in a checkout of that commit: its service works on its emulator, and its own code writes
every document and message. It does not run with the present code, on purpose.

    git worktree add ../before a0e8d1f
    cd ../before
    PYTHONPATH=. python ../HERE/tests/compatibility/write_data.py ../HERE/tests/compatibility/data
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from rotation.action import Kind
from rotation.caller import Caller, Role
from rotation.events import Expiring
from rotation.journal import LastSweep
from rotation.model import Answer, Slot, TargetId, Verdict
from rotation.record import (
    Entry,
    Intent,
    Leaked,
    Notice,
    Operation,
    Phase,
    Purpose,
    Put,
    Record,
    Seen,
    Trouble,
    Wish,
    WishKind,
)
from rotation.requests import RotationRequest

from rotation import codec, messages, wishes
from tests.wire.product import VAULT, Product, playground, product

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

SECRET = TargetId(VAULT, "ai-key")

OPERATOR = Caller("alice@contoso.com", frozenset({Role.EMERGENCY}), "c0ffee00-request")


def asked(reason: str, **more) -> RotationRequest:
    return RotationRequest(
        reason=reason,
        requester=OPERATOR.name,
        secret=SECRET,
        role=OPERATOR.role,
        request_id=OPERATOR.call,
        **more,
    )


def recorded(p: Product, written: dict[str, bytes]) -> None:
    """Keep the last document of every phase that reaches the store."""
    store = p.triggers.journal._store
    write = store.write

    async def keep(name: str, body: bytes, etag: str | None) -> str:
        if name != "sweep":
            written[json.loads(body)["phase"]] = body
        return await write(name, body, etag)

    store.write = keep


async def phases(p: Product) -> dict[str, bytes]:
    """An ordinary rotation, from the sweep to the end."""
    written: dict[str, bytes] = {}
    recorded(p, written)
    await p.triggers.sweep()
    await p.run(3 * DAY)
    return written


async def blocked(p: Product) -> dict[str, bytes]:
    """The new key does not work in time."""
    p.azure.account("aoai-demo").new_key_delay = 3 * DAY
    await p.console.request(asked("a colleague has left"))
    await p.run(3 * HOUR)
    return {"blocked": await body(p)}


async def lost_line(p: Product) -> dict[str, bytes]:
    """Resumed so often that the audit trail has dropped its second line, the regenerate."""
    p.azure.account("aoai-demo").new_key_delay = 300 * DAY
    accepted = await p.console.request(asked("a colleague has left"))
    for _ in range(32):
        await p.run(2 * HOUR)
        await p.console.answer(
            accepted["id"], WishKind.RESUME, OPERATOR, "try again", dry_run=False
        )
        await p.run(timedelta(minutes=5))
    record = await p.record()
    assert record.phase is Phase.VERIFY
    assert not any(e.what.startswith("regenerate ") for e in record.operation.audit)
    return {"lost-regenerate-line": await body(p)}


async def waiting(p: Product) -> dict[str, bytes]:
    """A request of every kind, behind a blocked operation."""
    p.azure.account("aoai-demo").new_key_delay = 3 * DAY
    await p.console.request(asked("a colleague has left"))
    await p.run(3 * HOUR)
    account, now = p.account(), p.azure.clock.now()
    event = Expiring(VAULT, "ai-key", "0" * 32, "event-1", "is near expiry")
    requests = [
        wishes.of_event(await p.record(), event, now),
        wishes.of_request(account, asked("by hand", idempotency_key="key-1"), now),
        wishes.of_request(account, asked("leak", leaked=Leaked.UNKNOWN, overlap=HOUR), now),
    ]
    for wish in requests:
        await p.triggers.journal.amend(account, lambda r, w=wish: wishes.added(r, w))
    record = await p.record()
    for kind in (WishKind.RESUME, WishKind.ABANDON, WishKind.CANCEL):
        await p.console._say(record, kind, OPERATOR, f"to {kind}")
    return {"waiting-requests": await body(p)}


async def history(p: Product) -> dict[str, bytes]:
    """Operations that ended in every way."""
    account = p.azure.account("aoai-demo")
    await p.triggers.sweep()
    await p.run(3 * DAY)  # done

    account.new_key_delay = 20 * DAY
    accepted = await p.console.request(asked("abandon this"))
    await p.run(3 * HOUR)
    await p.console.answer(accepted["id"], WishKind.ABANDON, OPERATOR, "not needed", dry_run=False)
    await p.run(timedelta(minutes=5))  # abandoned
    account.new_key_delay = timedelta()
    await p.run(25 * DAY)

    account.new_key_delay = HOUR / 2
    await p.console.request(asked("consumers go down during this"))
    await p.run(timedelta(minutes=2))
    current = p.azure.secret("kv-demo", "ai-key").current
    before, current.value = current.value, "not-a-key"
    await p.run(timedelta(minutes=5))
    await p.visit()  # overtaken
    current.value = before
    account.new_key_delay = timedelta()
    await p.run(5 * DAY)

    # An emergency whose spare was never published begins in VERIFY: nothing is changed yet.
    emergency = await p.console.request(asked("INC-4711", leaked=leaked(p)))
    probe = p.triggers.rotator.gatherer.probe
    probe.try_key, works = unreachable, probe.try_key
    await p.run(timedelta(minutes=2))
    await p.console.cancel(emergency["id"], OPERATOR, "false alarm")
    await p.visit()  # cancelled
    probe.try_key = works
    await p.run(DAY)

    await p.console.request(asked("untagged during this"))
    await p.run(HOUR)
    p.azure.secret("kv-demo", "ai-key").current.tags = {}
    await p.run(3 * HOUR)
    await p.visit()  # no secret is enrolled
    return {"history": await body(p)}


async def unreachable(*_args) -> Verdict:
    return Verdict(Answer.INCONCLUSIVE, "HTTP 503")


def leaked(p: Product) -> Leaked:
    """The slot that is published."""
    value = p.azure.secret("kv-demo", "ai-key").current.value
    keys = p.azure.account("aoai-demo").keys
    return Leaked(next(slot for slot, key in keys.items() if key == value).lower())


async def body(p: Product) -> bytes:
    return codec.dump(await p.record())


def queue_messages(p: Product) -> dict[str, str]:
    """One of each kind."""
    account, now = p.account(), p.azure.clock.now()
    event = Expiring(VAULT, "ai-key", "0" * 32, "event-1", "is near expiry")
    return {
        "visit": messages.dump(messages.Visit(account)),
        "visit-of-a-secret": messages.dump(messages.Visit(account, (SECRET,))),
        "visit-continued": messages.dump(messages.Visit(account, wake=now)),
        "expiry-notice": messages.dump(messages.Look(event)),
        "expiry-notice-again": messages.dump(messages.Look(event, tries=3)),
    }


def schema() -> dict[str, list[str]]:
    """The stored members and enum values."""
    structs = (Record, Operation, Wish, Intent, Entry, Put, Seen, Notice, Trouble)
    named = {kind.__name__: list(kind.__struct_encode_fields__) for kind in structs}
    plain = (messages.Visit, messages.Look, Expiring, LastSweep)
    named |= {kind.__name__: [f.name for f in dataclasses.fields(kind)] for kind in plain}
    enums: tuple[type[StrEnum], ...] = (Phase, Purpose, Leaked, WishKind, Slot, Kind)
    return named | {kind.__name__: [value.value for value in kind] for kind in enums}


async def main(directory: Path) -> None:
    scenes: list[Callable[[Product], Awaitable[dict[str, bytes]]]] = [
        phases,
        blocked,
        lost_line,
        waiting,
        history,
    ]
    for scene in scenes:
        with tempfile.TemporaryDirectory() as journal:
            async with product(playground(), journal) as p:
                for name, document in (await scene(p)).items():
                    save(directory / "journal" / f"{name}.json", json.loads(document))
    with tempfile.TemporaryDirectory() as journal:
        async with product(playground(), journal) as p:
            now = p.azure.clock.now()
            save(directory / "messages.json", queue_messages(p))
            sweep = LastSweep(now, 3, ("kv-demo/a-bad: bad tag",), "", now)
            save(directory / "sweep.json", json.loads(codec.dump(sweep)))
    save(directory / "schema.json", schema())


def save(path: Path, value) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
