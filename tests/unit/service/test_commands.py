"""Commands of operators are written into the journal once, and a visit is enqueued."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.emergency import Verdict
from rotation.domain.errors import Permanent
from rotation.domain.operation import Ending, Phase, Purpose
from rotation.domain.request import Leaked, RequestKind
from rotation.engine.handover import Listed
from rotation.service import idempotency
from rotation.service.messages import Visit
from rotation.service.replies.rotation import AcceptedReply, RotationState
from rotation.service.replies.secret import HeldReply
from rotation.service.requests import AlreadyRunning, RotationRequest
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, rotation
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS, TWO, A
from tests.unit.engine.test_reconciler import ASKED, LEAK
from tests.unit.engine.vaults import refused

from .world import CALLER, Service

SLUG = ACCOUNT.slug
SECOND = timedelta(seconds=1)
ROTATE = RotationRequest("a test", "ana", secret=ONE)
LEAKED = replace(ROTATE, secret=None, account=ACCOUNT, leaked=Leaked.KEY2)
EVERYTHING = RotationRequest("a test", "ana", everything=True, confirm=2)
NEW = rotation(id=f"{SLUG}-7", requests=(f"{SLUG}-2",))


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


async def run(world: Service, **members: Any) -> None:
    await world.save(**{"phase": Phase.VERIFY, "operation": NEW} | members)


class TestRequest:
    async def test_it_is_written_and_its_visit_enqueued(self, world: Service) -> None:
        found = await world.commands.request(ROTATE)
        (request,) = (await world.stored()).requests
        assert found == AcceptedReply(
            id=request.id, account=str(ACCOUNT), status=f"/api/rotations/{request.id}"
        )
        assert (request.kind, request.requester, request.at) == (RequestKind.MANUAL, "ana", NOW)
        assert world.queue.sent == [(Visit(ACCOUNT, (ONE,)), timedelta())]

    async def test_a_repeated_one_is_the_earlier(self, world: Service) -> None:
        keyed = replace(ROTATE, idempotency_key="k")
        first = await world.commands.request(keyed)
        again = await world.commands.request(keyed)
        assert (again.id, first.repeated, again.repeated) == (first.id, UNSET, True)
        assert len(world.queue.sent) == len((await world.stored()).requests) == 1

    async def test_a_key_stands_for_one_request_only(self, world: Service) -> None:
        await world.commands.request(replace(ROTATE, idempotency_key="k"))
        for other in (replace(ROTATE, reason="b"), replace(EVERYTHING, confirm=1)):
            call = world.commands.request_all if other.everything else world.commands.request
            with pytest.raises(Permanent) as caught:
                await call(replace(other, idempotency_key="k"))
            assert caught.value.code == idempotency.REUSED

    async def test_it_is_covered_by_what_runs(self, world: Service) -> None:
        await run(world)
        with pytest.raises(AlreadyRunning) as caught:
            await world.commands.request(ROTATE)
        assert caught.value.operation_id == NEW.id
        assert world.queue.sent == []

    async def test_an_emergency_is_pinned_and_repeated_by_its_key(self, world: Service) -> None:
        keyed = replace(LEAKED, idempotency_key="k")
        first = await world.commands.request(keyed)
        again = await world.commands.request(keyed)
        assert (again.id, first.repeated, again.repeated) == (first.id, UNSET, True)
        document = await world.emergencies.find(first.id)
        assert document is not None
        assert not document.provisional
        assert "keys" in world.accounts.calls

    async def test_the_keys_that_it_has_listed_serve_the_visit_that_follows(
        self, world: Service
    ) -> None:
        await world.commands.request(LEAKED)
        assert world.emergencies.handover.take(ACCOUNT, NOW) == Listed(KEYS, NOW)


class TestRequestAll:
    @pytest.fixture(autouse=True)
    def _two_accounts(self, world: Service) -> None:
        world.vaults.add(TWO, NOW, TAGS | {"ProviderAddress": str(OTHER)}, KEYS.key1)

    async def test_each_account_gets_its_request_under_the_name_of_the_batch(
        self, world: Service
    ) -> None:
        found = await world.commands.request_all(EVERYTHING)
        assert {one.account for one in found.rotations} == {str(ACCOUNT), str(OTHER)}
        assert (found.accounts, found.failed, found.not_seen) == (2, [], [])
        assert found.status == f"/api/rotations?batch={found.batch}"
        batch = await world.queries.rotations(batch=found.batch)
        assert {one.id for one in batch.rotations} == {one.id for one in found.rotations}
        assert found.batch != (await world.commands.request_all(EVERYTHING)).batch

    async def test_a_repeated_batch_has_the_same_name_and_requests(self, world: Service) -> None:
        keyed = replace(EVERYTHING, idempotency_key="k")
        first = await world.commands.request_all(keyed)
        again = await world.commands.request_all(keyed)
        assert first.batch == again.batch == idempotency.batch_of(keyed)
        assert {one.id for one in again.rotations} == {one.id for one in first.rotations}
        assert [one.repeated for one in again.rotations] == [True, True]

    @pytest.mark.parametrize("confirm", [1, 3, None])
    async def test_a_number_that_was_not_confirmed_is_refused(
        self, world: Service, confirm: int | None
    ) -> None:
        with pytest.raises(Permanent) as caught:
            await world.commands.request_all(replace(EVERYTHING, confirm=confirm))
        assert caught.value.code == "Unconfirmed"
        assert world.queue.sent == []

    @pytest.mark.parametrize(
        "request_",
        [
            replace(EVERYTHING, everything=False, vault=A),
            replace(EVERYTHING, leaked=Leaked.UNKNOWN),
        ],
    )
    async def test_a_vault_and_an_emergency_need_no_number(
        self, world: Service, request_: RotationRequest
    ) -> None:
        found = await world.commands.request_all(replace(request_, confirm=None))
        assert len(found.rotations) == 2

    async def test_what_runs_already_is_named_and_what_fails_affects_no_other(
        self, world: Service
    ) -> None:
        await run(world)
        world.vaults.errors[TWO] = refused("two")
        await world.store.put(OTHER.slug, b"garbage")
        found = await world.commands.request_all(EVERYTHING)
        assert [(one.id, one.repeated) for one in found.rotations] == [(NEW.id, True)]
        assert [one.account for one in found.failed] == [str(OTHER)]
        assert OTHER.slug in found.failed[0].error

    async def test_a_bulk_emergency_names_the_vaults_that_it_could_not_see(
        self, world: Service
    ) -> None:
        await world.rest()
        world.vaults.errors[A] = refused("the listing")
        world.now += timedelta(minutes=2)
        found = await world.commands.request_all(replace(EVERYTHING, leaked=Leaked.UNKNOWN))
        assert [one.account for one in found.rotations] == [str(ACCOUNT)]
        assert found.not_seen == [f"{A}: the listing is refused"]
        document = await world.emergencies.find(found.rotations[0].id)
        assert document is not None
        assert (document.bulk, document.provisional) == (True, True)


class TestCancel:
    async def test_a_request_moves_to_the_history(self, world: Service) -> None:
        await world.save(requests=(replace(ASKED, id=f"{SLUG}-3"),))
        found = await world.commands.cancel(f"{SLUG}-3", CALLER, "a mistake")
        assert found is not None
        assert (found.state, found.outcome) == (
            RotationState.CANCELLED,
            "cancelled by ben: a mistake",
        )
        assert world.queue.sent == [(Visit(ACCOUNT), timedelta())]

    async def test_what_does_not_exist_is_not_cancelled(self, world: Service) -> None:
        assert await world.commands.cancel(f"{SLUG}-9", CALLER, "no") is None
        await world.save(waiting="w")
        assert await world.commands.cancel(f"{SLUG}-9", CALLER, "no") is None
        assert world.queue.sent == []

    async def test_an_operation_that_changed_something_is_too_late(self, world: Service) -> None:
        await run(world, phase=Phase.OVERLAP)
        with pytest.raises(Permanent, match="too late"):
            await world.commands.cancel(NEW.id, CALLER, "no")

    async def test_an_emergency_that_waits_is_closed(self, world: Service) -> None:
        await world.report()
        found = await world.commands.cancel(LEAK, CALLER, "a mistake")
        document = await world.emergencies.find(LEAK)
        assert found is not None
        assert document is not None
        assert (found.state, document.verdict) == (RotationState.CANCELLED, Verdict.CANCELLED)

    async def test_one_whose_regenerate_was_decided_is_too_late(self, world: Service) -> None:
        running = replace(NEW, id=LEAK, purpose=Purpose.EMERGENCY)
        await run(world, phase=Phase.REGENERATE, operation=running)
        await world.report(intent="i")
        with pytest.raises(Permanent, match="too late"):
            await world.commands.cancel(LEAK, CALLER, "no")
        assert (await world.stored()).requests == ()

    async def test_one_that_is_over_shows_its_state(self, world: Service) -> None:
        await world.report(intent="i", verdict=Verdict.REFUSED)
        found = await world.commands.cancel(LEAK, CALLER, "no")
        assert found is not None
        assert found.revoked is True

    async def test_of_a_batch_what_has_not_begun_is_cancelled(self, world: Service) -> None:
        waiting = replace(ASKED, id=f"{SLUG}-3", idempotency_key="b")
        late = replace(NEW, idempotency_keys=("b",))
        asked: list[str] = []
        cancel = world.commands.cancel

        async def noted(name: str, *who: Any) -> Any:
            asked.append(name)
            return await cancel(name, *who)

        world.commands.cancel = noted  # type: ignore[method-assign, assignment]
        over = replace(
            NEW, id=f"{SLUG}-4", idempotency_keys=("b",), ended_at=NOW, ending=Ending.DONE
        )
        await run(world, phase=Phase.OVERLAP, operation=late, requests=(waiting,), history=(over,))
        found = await world.commands.cancel_batch("b", CALLER, "no")
        assert found is not None
        assert {one.id: one.state.value for one in found.rotations} == {
            f"{SLUG}-3": "cancelled",
            NEW.id: "running",
            f"{SLUG}-4": "ended",
        }
        assert sorted(asked) == [f"{SLUG}-3", NEW.id], "what has ended is left alone"
        assert await world.commands.cancel_batch("unknown", CALLER, "no") is None


class TestAnswer:
    @pytest.mark.parametrize("dry_run", [True, False])
    async def test_an_operation_gets_the_answer_unless_it_is_a_dry_run(
        self, world: Service, dry_run: bool
    ) -> None:
        await run(world)
        answer = world.commands.answer
        will = await answer(NEW.id, RequestKind.ABANDON, CALLER, "why", dry_run=dry_run)
        assert will is not None
        assert will.startswith("The operation ends in verify")
        kinds = [request.kind for request in (await world.stored()).requests]
        assert kinds == ([] if dry_run else [RequestKind.ABANDON])
        assert len(world.queue.sent) == (not dry_run)

    async def test_a_request_or_nothing_has_no_answer(self, world: Service) -> None:
        await world.save(requests=(replace(ASKED, id=f"{SLUG}-3"),))
        for name in (f"{SLUG}-3", f"{SLUG}-9", f"{OTHER.slug}-1"):
            answer = world.commands.answer
            assert await answer(name, RequestKind.RESUME, CALLER, "", dry_run=False) is None
        assert world.queue.sent == []

    @pytest.mark.parametrize("dry_run", [True, False])
    async def test_an_emergency_that_waits_is_answered_in_its_document(
        self, world: Service, dry_run: bool
    ) -> None:
        await world.report()
        answer = world.commands.answer
        will = await answer(LEAK, RequestKind.ABANDON, CALLER, "why", dry_run=dry_run)
        assert will is not None
        assert "NOT revoked" in will
        document = await world.emergencies.find(LEAK)
        assert document is not None
        assert (document.verdict is Verdict.ABANDONED) is not dry_run

    @pytest.mark.parametrize("kind", [RequestKind.RESUME, RequestKind.ABANDON])
    async def test_resuming_its_operation_resumes_the_emergency_too(
        self, world: Service, kind: RequestKind
    ) -> None:
        running = replace(NEW, id=LEAK, purpose=Purpose.EMERGENCY)
        await run(world, phase=Phase.REVOKE, operation=running)
        await world.report(look_at=NOW + SECOND)
        await world.commands.answer(LEAK, kind, CALLER, "go on", dry_run=False)
        document = await world.emergencies.find(LEAK)
        assert document is not None
        assert (document.look_at is None) is (kind is RequestKind.RESUME)
        assert document.is_open

    async def test_an_emergency_whose_document_is_lost_is_an_error(self, world: Service) -> None:
        await world.store.put(f"emergency-{LEAK}", b"garbage")
        with pytest.raises(Permanent, match="cannot be read"):
            await world.commands.answer(LEAK, RequestKind.RESUME, CALLER, "", dry_run=False)


class TestPause:
    async def test_the_tag_is_set_and_every_instance_lists_the_vault_again(
        self, world: Service
    ) -> None:
        before = await world.marks.all()
        found = await world.commands.pause(ONE, paused=True)
        assert found == HeldReply(vault=A, secret="one", paused=True)
        assert world.vaults.secrets[ONE][-1].tags["RotationPaused"] == "true"
        marks = await world.marks.all()
        assert marks != before
        await world.commands.pause(ONE, paused=True)
        assert await world.marks.all() == marks, "nothing has changed"
        await world.commands.pause(ONE, paused=False)
        assert "RotationPaused" not in world.vaults.secrets[ONE][-1].tags

    async def test_a_member_without_tags_is_paused_like_any_other(self, world: Service) -> None:
        await world.rest()
        world.vaults.add(ONE, NOW, {}, KEYS.key1)
        await world.commands.pause(ONE, paused=True)
        assert world.vaults.secrets[ONE][-1].tags["RotationPaused"] == "true"
        await world.commands.pause(ONE, paused=False)
        assert world.vaults.secrets[ONE][-1].tags["RotationPaused"] == "false"

    @pytest.mark.parametrize("exists", [True, False])
    async def test_a_secret_that_is_not_enrolled_is_refused(
        self, world: Service, exists: bool
    ) -> None:
        if exists:
            world.vaults.add(TWO, NOW, {})
        with pytest.raises(Permanent, match="two"):
            await world.commands.pause(TWO, paused=True)
