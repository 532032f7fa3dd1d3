"""Two versions on one journal, as during a deployment: the earlier one drops newer members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions.lifecycle import cancellable
from rotation.domain import codec, legacy
from rotation.domain.access import Caller, Role
from rotation.domain.errors import Permanent
from rotation.domain.operation import Ending, Phase
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.record import Record
from rotation.domain.request import Leaked, RequestKind
from rotation.engine.journal import SLUG
from rotation.service.replies.rotation import RotationReply
from rotation.service.requests import RotationRequest
from rotation.service.views import operation
from tests.integration.wire.product import Product, playground, product

from .earlier import DOCUMENTS, rewritten

OPERATOR = Caller("alice@contoso.com", frozenset({Role.EMERGENCY}))


def load(document: bytes) -> Record:
    return codec.load(Record, document)


def after_the_earlier_version(record: Record) -> Record:
    return load(rewritten(codec.dump(record)))


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Product]:
    """The product; after each of its writes the earlier version writes the document again."""
    async with product(playground(), str(tmp_path)) as p:
        store = p.triggers.journal._store
        write = store.write

        async def write_as_both(name: str, body: bytes, etag: str | None, index: str = "") -> str:
            return await write(name, rewritten(body) if len(name) == SLUG else body, etag)

        store.write = write_as_both  # type: ignore[method-assign]
        yield p


async def shown(p: Product) -> RotationReply:
    record = await p.record()
    return operation.build(record, record.operation or record.history[-1])


async def test_a_rotation_runs_to_its_end_while_both_versions_write(shared: Product) -> None:
    await shared.triggers.sweep()
    await shared.run(timedelta(hours=1))
    running = await shown(shared)
    assert (running.state, running.phase) == ("running", "overlap")
    assert running.began_in == "regenerate"
    await shared.run(timedelta(days=2))
    ended = await shown(shared)
    assert (ended.state, ended.proven) == ("ended", True)
    record = await shared.record()
    assert record.history[-1].proven is False, "the member is gone; the text tells"


async def test_a_rotation_cannot_be_cancelled_after_its_regenerate(shared: Product) -> None:
    shared.azure.account("aoai-demo").new_key_delay = timedelta(days=3)
    await shared.triggers.sweep()
    await shared.run(timedelta(minutes=10))
    record = await shared.record()
    assert record.operation is not None
    assert record.operation.regenerated_at is None, "the member is gone; the audit trail tells"
    assert not cancellable(record)


@pytest.mark.parametrize(
    ("kind", "ending", "state"),
    [
        (RequestKind.CANCEL, Ending.CANCELLED, "cancelled"),
        (RequestKind.ABANDON, Ending.ABANDONED, "ended"),
    ],
)
async def test_an_ending_is_known_after_the_earlier_version_wrote(
    shared: Product, monkeypatch: pytest.MonkeyPatch, kind: RequestKind, ending: Ending, state: str
) -> None:
    monkeypatch.setattr(shared.triggers.visits.reconciler.gatherer.probe, "try_key", unreachable)
    request = RotationRequest("leak", "alice", account=shared.account(), leaked=Leaked.KEY1)
    commands = shared.service.commands
    accepted = await commands.request(request)
    await shared.run(timedelta(minutes=1))
    await commands._record_answer(await shared.record(), kind, OPERATOR, "a false alarm")
    await shared.visit()
    done = (await shared.record()).history[-1]
    assert done.id == accepted.id
    assert done.ending is None, "the member is gone; the outcome tells"
    assert legacy.ending(done) is ending
    assert (await shown(shared)).state == state


async def unreachable(*_: Any) -> ProbeVerdict:
    return ProbeVerdict(ProbeResult.INCONCLUSIVE, "HTTP 503")


async def test_a_cancel_is_refused_if_the_line_of_the_regenerate_is_lost(tmp_path: Path) -> None:
    document = DOCUMENTS["lost-regenerate-line"]
    record = load(document)
    assert record.operation is not None
    assert record.phase is Phase.VERIFY
    assert not any(e.what.startswith(legacy.REGENERATE) for e in record.operation.audit)
    async with product(playground(), str(tmp_path)) as p:
        await p.triggers.journal._store.write(record.account.slug, document, None)
        with pytest.raises(Permanent) as refused:
            await p.service.commands.cancel(record.operation.id, OPERATOR, "a false alarm")
    assert refused.value.code == "TooLate"


def test_a_cancel_by_the_earlier_version_is_refused_too() -> None:
    """Its request is in the journal already; the decision reads the record itself."""
    assert not cancellable(load(DOCUMENTS["lost-regenerate-line"]))


def test_the_member_decides_if_the_line_of_the_regenerate_is_lost() -> None:
    record = load(DOCUMENTS["verify"])
    assert record.operation is not None
    bare = replace(record.operation, audit=record.operation.audit[:1], puts={})
    unsent = replace(record, operation=bare, intent=None)
    assert cancellable(unsent)
    sent = replace(bare, regenerated_at=bare.started_at)
    assert not cancellable(replace(record, operation=sent, intent=None))


def test_every_ending_of_the_earlier_version_is_known() -> None:
    endings = {legacy.ending(done) for done in load(DOCUMENTS["history"]).history}
    assert endings == set(Ending) - {Ending.NOT_PROVEN}, "which it did not know"


def test_the_earlier_versions_operations_show_where_they_began_and_what_was_proven() -> None:
    record = load(DOCUMENTS["history"])
    replies = [operation.build(record, done) for done in record.history]
    assert {reply.began_in for reply in replies} == {"regenerate", "verify"}
    proven = [reply.id for reply in replies if reply.proven]
    assert proven == [done.id for done in record.history if done.proof == legacy.REFUSED]
