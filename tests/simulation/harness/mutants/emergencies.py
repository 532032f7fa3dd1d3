"""Mutants of emergencies: each forgets a leak, ends it falsely, or is stopped by somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from rotation.decisions import distribution, guards, leaks, patience, response, revocation
from rotation.decisions.actions import Action, enter
from rotation.decisions.facts import Facts
from rotation.domain import emergency
from rotation.domain.account import Account
from rotation.domain.emergency import Emergency, Verdict
from rotation.domain.errors import Permanent
from rotation.domain.keys import Slot
from rotation.domain.operation import Phase
from rotation.engine import gatherer
from rotation.engine.responder import Responder
from rotation.service import inbox
from rotation.service.acceptance import Acceptance
from rotation.service.commands import Commands
from rotation.service.scope import Scope
from rotation.web.handlers import rotations

from .patches import Patch


def by_slot_instead_of_value() -> list[Patch]:
    def shown_by(found: Emergency, keys: Any) -> frozenset[Slot]:
        return frozenset({found.leaked.slot}) if found.leaked.slot else frozenset(Slot)

    return [(Emergency, "shown_by", shown_by)]


def restored_document_ends_revoked() -> list[Patch]:
    """Without a pin, every pinned value was refused."""

    def closed(found: Emergency, now: Any, untriable: Any = ()) -> Emergency:
        nothing_left = found.is_open and all(pin.refused_at for pin in found.pins)
        return emergency.ended(found, Verdict.REFUSED, now) if nothing_left else found

    def looked_at(found: Emergency, record: Any, keys: Any, now: Any) -> Emergency:
        return closed(original(found, record, keys, now), now)

    original = leaks.looked_at
    return [(leaks, "looked_at", looked_at)]


def restored_document_acts() -> list[Patch]:
    return [(Emergency, "is_stale", lambda found, now: False)]


def restored_record_ends_revoked() -> list[Patch]:
    """The record alone decides whether the slot holds the old key."""

    def recognise(f: Facts, slot: Slot) -> Action:
        return enter(f, Phase.PROVE, f"{slot} was already regenerated")

    return [
        (revocation, "_recognise", recognise),
        (revocation, "_published_before", lambda f: None),
    ]


def remembered_pins_trusted() -> list[Patch]:
    """Pin only the values that the record remembers, and ignore the first listing."""

    def pinned(found: Emergency, keys: Any, now: Any, ours: Any = ()) -> Emergency:
        if found.pins:
            return replace(found, provisional=False)
        return original(found, keys, now, ours)

    original = emergency.pinned
    return [(emergency, "pinned", pinned)]


def record_decides_what_is_open() -> list[Patch]:
    return [(leaks, "asked", lambda f: f)]


def suspects_receive_the_key() -> list[Patch]:
    return [(leaks, "withheld", lambda f: f)]


def answered_by_an_operator() -> list[Patch]:
    async def check(call: Any) -> None:
        pass

    return [(rotations, "_check_answer", check)]


def stopped_by_a_plain_request_s_key() -> list[Patch]:
    async def earlier(acceptance: Acceptance, new: Any) -> str | None:
        record = await acceptance.journal.find(new.id.partition("-")[0])
        owner = (new.idempotency_key or "").partition(".")[0]
        operations = [o for o in (record.operation, *record.history) if o] if record else []
        keys = [(o.id, key) for o in operations for key in o.idempotency_keys]
        keys += [(r.id, r.idempotency_key or "") for r in (record.requests if record else ())]
        return next((one for one, key in keys if key.partition(".")[0] == owner), None)

    return [(Acceptance, "_earlier", earlier)]


def one_key_two_emergencies() -> list[Patch]:
    return [(inbox, "_id_of", lambda account, request: inbox.new_id(account))]


def refused_because_of_a_vault() -> list[Patch]:
    async def accounts(scope: Scope, request: Any, listings: Any) -> Any:
        for listing in listings:
            if listing.error:
                raise Permanent(str(listing.error), code="Incomplete", remedy="")
        return await original(scope, request, listings)

    original = Scope._seen_or_remembered
    return [(Scope, "_seen_or_remembered", accounts)]


def refused_because_of_a_count() -> list[Patch]:
    async def request_all(commands: Commands, request: Any) -> Any:
        found = await commands.scope.accounts(request)
        if request.everything and request.confirm != len(found):
            raise Permanent("the number of accounts has changed", code="Unconfirmed", remedy="")
        return await original(commands, request)

    original = Commands.request_all
    return [(Commands, "request_all", request_all)]


def refused_successor_published() -> list[Patch]:
    def refused(f: Facts, candidate: Slot) -> Action:
        return response._ready(f, replace(f.operation, unproven=True), f"{candidate} is new")

    return [(response, "_refused", refused)]


def stopped_by_another_writer() -> list[Patch]:
    return [
        (patience, "MAX_OVERWRITES", 10**9),
        (patience, "given_up", lambda f, target: False),
    ]


def silent_while_it_waits() -> list[Patch]:
    async def show(responder: Responder, found: Any, hold: Any, now: Any) -> None:
        pass

    return [(Responder, "show", show)]


def stopped_by_the_daily_cap() -> list[Patch]:
    def capped(guard: Callable[[Facts, Slot], Action | None]) -> Callable[..., Action | None]:
        return lambda f, slot: guards._capped(f) or guard(f, slot)

    return [
        (response, "_unguarded", capped(response._unguarded)),
        (distribution, "_needs_successor", capped(distribution._needs_successor)),
    ]


def stopped_by_a_failed_account() -> list[Patch]:
    def check(account: Account, *, in_emergency: bool = False) -> Account:
        return original(account)

    original = gatherer.check_rotatable
    return [(gatherer, "check_rotatable", check)]
