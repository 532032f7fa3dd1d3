"""Mutants of the journal, the effects and the SDK clients."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

from azure.core.pipeline.policies import AsyncRetryPolicy
from msgspec.structs import replace

from rotation.adapters import cognitive_services as accounts
from rotation.decisions.facts import Facts
from rotation.domain.errors import RotationError
from rotation.engine.effects import Effects, _answered
from rotation.engine.journal import Journal

from .patches import Patch


def _overwrite() -> Patch:
    async def save(journal: Journal, record: Any, tag: str | None) -> str:
        found = await journal._store.read(record.account.slug)
        return await original(journal, record, found.etag if found else None)

    original = Journal.save
    return (Journal, "save", save)


def _lease_for_everybody() -> Patch:
    @asynccontextmanager
    async def lease(journal: Journal, *args: Any) -> Any:
        yield True

    return (Journal, "lease", lease)


def no_compare_and_swap() -> list[Patch]:
    return [_overwrite()]


def no_lease_and_no_compare_and_swap() -> list[Patch]:
    return [_overwrite(), _lease_for_everybody()]


def sdk_retry_left_on() -> list[Patch]:
    def client(*args: Any, **options: Any) -> Any:
        retry = AsyncRetryPolicy(retry_total=3, retry_backoff_factor=0.1)
        options["policies"] = [*options["policies"][:-3], retry, *options["policies"][-3:]]
        return original(*args, **options)

    original: Any = vars(accounts)["CognitiveServicesManagementClient"]
    return [(accounts, "CognitiveServicesManagementClient", client)]


def no_stored_intent() -> list[Patch]:
    async def save(journal: Journal, record: Any, tag: str | None) -> str:
        return await original(journal, replace(record, intent=None), tag)

    original = Journal.save
    return [(Journal, "save", save)]


def no_response_means_no_effect() -> list[Patch]:
    """A 5xx or a lost answer of a regenerate is taken for "nothing has happened"."""

    async def send(effects: Effects, facts: Facts, record: Any) -> None:
        try:
            await original(effects, facts, record)
        except RotationError:
            await effects.journal.amend(record.account, _answered(record.intent, None))
            raise

    original = Effects._send
    return [(Effects, "_send", send)]
