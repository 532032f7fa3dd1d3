"""Questions about the fleet, its accounts and their operations; none of them changes anything."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from rotation.domain.account import Account
from rotation.domain.emergency import Verdict
from rotation.domain.errors import Permanent, Transient, Unreadable
from rotation.domain.fleet_hold import FleetHold
from rotation.domain.ids import TargetId
from rotation.domain.operation import Phase, Purpose
from rotation.domain.record import Failure, Record
from rotation.domain.request import RequestKind
from rotation.engine.emergencies import PREFIX
from rotation.engine.journal import LastSweep
from rotation.service import queries
from rotation.service.replies.fleet import CallerReply, SecretState, VerdictLevel
from rotation.service.replies.rotation import RotationState
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW, rotation
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS, TWO, A
from tests.unit.engine.test_reconciler import ASKED, LEAK
from tests.unit.engine.vaults import refused

from .world import CALLER, Service

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
SLUG = ACCOUNT.slug
RUNNING = rotation(id=f"{SLUG}-7", requests=(f"{SLUG}-2",))
REVOKING = replace(RUNNING, id=LEAK, purpose=Purpose.EMERGENCY, requests=())


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


async def run(world: Service, **members: Any) -> Record:
    return await world.save(**{"phase": Phase.VERIFY, "operation": RUNNING} | members)


class TestFleet:
    async def test_it_has_the_caller_the_secrets_and_the_verdict(self, world: Service) -> None:
        await world.journal.note_sweep(LastSweep(NOW, 1))
        found = await world.queries.fleet(CALLER)
        assert (found.at, found.problems, found.hold) == (NOW, [], UNSET)
        assert found.caller == CallerReply(name="ben", roles=["Rotation.Read", "Rotation.Operate"])
        assert [row.secret for row in found.secrets] == ["one"]
        assert (found.summary.secrets, found.summary.last_sweep is not None) == (1, True)
        assert found.unmanaged.accounts == []
        assert world.queries.vault_urls == (A,)

    async def test_a_sweep_that_is_late_or_missing_is_a_reason_of_the_verdict(
        self, world: Service
    ) -> None:
        assert (await world.queries.fleet(CALLER)).verdict.level is not VerdictLevel.OK

    async def test_it_names_what_is_not_managed_and_why_that_is_not_known(
        self, world: Service
    ) -> None:
        other = Account(OTHER, "OpenAI", "https://e")

        async def listed(subscription: str) -> list[Account]:
            assert subscription == ACCOUNT.subscription
            return [Account(ACCOUNT, "OpenAI", "https://e"), other]

        world.accounts.list = listed  # type: ignore[method-assign]
        found = await world.queries.fleet(CALLER)
        assert [one.account for one in found.unmanaged.accounts] == [str(OTHER)]
        world.accounts.errors = {"list": refused("the list")}
        del world.accounts.list
        world.now += timedelta(minutes=5, seconds=1)
        found = await world.queries.fleet(CALLER)
        assert any("the list" in problem for problem in found.problems)

    async def test_it_shows_the_hold_in_force(self, world: Service) -> None:
        await world.holds.put(FleetHold(NOW + DAY, "a freeze", "ana", NOW))
        found = await world.queries.fleet(CALLER)
        assert found.hold is not UNSET
        assert (found.hold.held, found.hold.until) == (True, NOW + DAY)


class TestRow:
    async def test_it_is_that_of_the_secret(self, world: Service) -> None:
        world.publish(TWO)
        assert (await world.queries.row(TWO)).target == TWO

    async def test_a_secret_that_is_not_enrolled_is_refused(self, world: Service) -> None:
        with pytest.raises(Permanent, match="two"):
            await world.queries.row(TWO)

    async def test_it_is_not_known_if_its_vault_cannot_be_listed(self, world: Service) -> None:
        world.vaults.errors[A] = Transient("busy")
        with pytest.raises(Transient):
            await world.queries.row(TWO)


class TestAccount:
    async def test_it_has_its_operations_and_emergencies(self, world: Service) -> None:
        await run(world)
        await world.report()
        found = await world.queries.account(SLUG)
        assert found is not None
        assert found.running is not None
        assert (found.running.id, found.at) == (RUNNING.id, NOW)
        assert [one.id for one in found.waiting] == [LEAK]

    async def test_nothing_is_known_of_a_stranger(self, world: Service) -> None:
        assert await world.queries.account("0" * 16) is None

    @pytest.mark.parametrize("is_lost", [True, False])
    async def test_an_emergency_is_shown_without_a_record_that_can_be_read(
        self, world: Service, is_lost: bool
    ) -> None:
        await world.report()
        if not is_lost:
            await world.store.put(SLUG, b"garbage")
        found = await world.queries.account(SLUG)
        assert found is not None
        assert (found.account, found.next.why) == (
            str(ACCOUNT),
            "it has no record that can be read",
        )

    async def test_garbage_alone_is_an_error(self, world: Service) -> None:
        await world.store.put(SLUG, b"garbage")
        with pytest.raises(Unreadable):
            await world.queries.account(SLUG)


class TestRotations:
    async def test_the_newest_come_first_and_all_states_are_counted(self, world: Service) -> None:
        old = replace(RUNNING, id=f"{SLUG}-0", started_at=NOW - DAY, ended_at=NOW)
        later = replace(ASKED, at=NOW + SECOND)
        await run(world, history=(old,), requests=(later,))
        found = await world.queries.rotations()
        assert [one.id for one in found.rotations] == ["r-1", f"{SLUG}-7", f"{SLUG}-0"]
        assert found.states == {"waiting": 1, "running": 1, "ended": 1}
        ended = await world.queries.rotations(state="ended")
        assert [one.id for one in ended.rotations] == [f"{SLUG}-0"]
        assert ended.states == found.states

    async def test_an_operation_counts_from_its_start_and_a_request_from_when_it_was_made(
        self, world: Service
    ) -> None:
        begun = replace(REVOKING, started_at=NOW + SECOND)
        await run(world, operation=begun, requests=(ASKED,))
        await world.report(at=NOW - DAY)
        found = (await world.queries.rotations()).rotations
        assert [one.id for one in found] == [LEAK, "r-1"]
        assert found[0].requested_at == NOW - DAY

    async def test_only_the_newest_200_are_returned(
        self, world: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "MAX_ROTATIONS", 1)
        await run(world, requests=(replace(ASKED, at=NOW + SECOND),))
        found = await world.queries.rotations()
        assert ([one.id for one in found.rotations], sum(found.states.values())) == (["r-1"], 2)

    async def test_they_are_of_one_account_or_of_one_batch_on_request(self, world: Service) -> None:
        await run(world, requests=(replace(ASKED, idempotency_key="batch-1"),))
        await world.journal.save(Record(OTHER, "salt", requests=(replace(ASKED, id="r-9"),)), None)
        await world.report()
        every = {one.id for one in await world.queries.all_rotations()}
        assert every == {RUNNING.id, "r-1", "r-9", LEAK}
        of_account = await world.queries.all_rotations(account=str(OTHER))
        assert [one.id for one in of_account] == ["r-9"]
        of_batch = await world.queries.all_rotations(batch="batch-1")
        assert [one.id for one in of_batch] == ["r-1"]
        with pytest.raises(ValueError, match="account"):
            await world.queries.all_rotations(account="nonsense")


class TestStatus:
    async def test_an_operation_is_found_by_its_id_or_that_of_its_request(
        self, world: Service
    ) -> None:
        await run(world)
        for name in (RUNNING.id, f"{SLUG}-2"):
            found = await world.queries.status(name)
            assert found is not None
            assert found.id == RUNNING.id
        for name in (
            f"{SLUG}-9",
            "nonsense",
            f"{'0' * 16}-1",
            f"{SLUG}-",
            f"{SLUG}-ü",
            f"{SLUG}x-1",
            f"{'?' * 16}-1",
        ):
            assert await world.queries.status(name) is None

    async def test_an_emergency_is_judged_by_its_document(self, world: Service) -> None:
        await run(world, phase=Phase.REVOKE, operation=REVOKING)
        await world.report(why="held", remedy="do it")
        found = await world.queries.status(LEAK)
        assert found is not None
        assert (found.state, found.revoked) == (RotationState.RUNNING, False)

    @pytest.mark.parametrize("garbage", [True, False])
    async def test_an_emergency_needs_no_record(self, world: Service, garbage: bool) -> None:
        await world.report()
        if garbage:
            await world.store.put(SLUG, b"garbage")
        found = await world.queries.status(LEAK)
        assert found is not None
        assert (found.id, found.state) == (LEAK, RotationState.WAITING)

    async def test_a_document_that_is_open_contradicts_an_operation_that_is_over(
        self, world: Service
    ) -> None:
        await world.save(history=(replace(REVOKING, ended_at=NOW),))
        await world.report()
        found = await world.queries.status(LEAK)
        assert found is not None
        assert found.state is RotationState.WAITING

    async def test_a_lost_document_is_said_to_be_lost(self, world: Service) -> None:
        await run(world, phase=Phase.REVOKE, operation=REVOKING)
        await world.store.put(PREFIX + LEAK, b"garbage")
        found = await world.queries.status(LEAK)
        assert found is not None
        assert found.revoked is False
        await world.save(phase=Phase.IDLE, operation=None)
        with pytest.raises(Permanent, match="cannot be read"):
            await world.queries.status(LEAK)

    async def test_a_caller_may_wait_until_it_has_ended(
        self, world: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await run(world)
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                ended = replace(RUNNING, ended_at=NOW)
                await world.save(phase=Phase.IDLE, operation=None, history=(ended,))

        monkeypatch.setattr(asyncio, "sleep", sleep)
        found = await world.queries.status(RUNNING.id, timedelta(seconds=1))
        assert found is not None
        assert (found.state, pauses) == (RotationState.RUNNING, [1])
        found = await world.queries.status(RUNNING.id, timedelta(seconds=9))
        assert found is not None
        assert (found.state, pauses) == (RotationState.ENDED, [1, 1])

    async def test_nobody_waits_for_one_that_is_blocked(
        self, world: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def sleep(seconds: float) -> None:
            raise AssertionError

        monkeypatch.setattr(asyncio, "sleep", sleep)
        await run(world, blocked=Failure("c", "m", "r", NOW))
        found = await world.queries.status(RUNNING.id, timedelta(seconds=9))
        assert found is not None
        assert found.state is RotationState.BLOCKED


class TestIsEmergency:
    @pytest.mark.parametrize(
        ("members", "expected"),
        [
            ({"requests": (replace(ASKED, id=LEAK, kind=RequestKind.EMERGENCY),)}, True),
            ({"requests": (replace(ASKED, id=LEAK),)}, False),
            ({"phase": Phase.REVOKE, "operation": REVOKING}, True),
            ({"phase": Phase.VERIFY, "operation": replace(RUNNING, id=LEAK)}, False),
            ({"history": (replace(REVOKING, ended_at=NOW),)}, False),
            ({}, False),
        ],
    )
    async def test_without_a_document_the_record_decides(
        self, world: Service, members: dict[str, Any], expected: bool
    ) -> None:
        await world.save(**members)
        assert await world.queries.is_emergency(LEAK) is expected

    @pytest.mark.parametrize(
        ("verdict", "expected"), [(Verdict.OPEN, True), (Verdict.REFUSED, False)]
    )
    async def test_the_document_decides_if_there_is_one(
        self, world: Service, verdict: Verdict, expected: bool
    ) -> None:
        await world.save(phase=Phase.REVOKE, operation=REVOKING)
        await world.report(verdict=verdict)
        assert await world.queries.is_emergency(LEAK) is expected

    async def test_a_text_that_is_not_an_id_is_none(self, world: Service) -> None:
        assert not await world.queries.is_emergency("nonsense")
        assert await world.queries.record("nonsense") is None
        assert not await world.queries.is_emergency(f"{'0' * 16}-1")


class TestOverview:
    """A row never disappears because something cannot be read."""

    async def rows(self, world: Service) -> dict[str, SecretState]:
        rows, _ = await world.queries.rows()
        return {row.target.name: row.state for row in rows}

    async def problems(self, world: Service) -> list[str]:
        _, problems = await world.queries.rows()
        return problems

    async def test_rows_are_in_order_and_have_no_problems(self, world: Service) -> None:
        world.publish(TargetId(A, "a"))
        assert list(await self.rows(world)) == ["a", "one"]
        assert await self.problems(world) == []

    async def test_a_vault_that_cannot_be_listed_leaves_its_members_unknown(
        self, world: Service
    ) -> None:
        await world.rest()
        world.vaults.errors[A] = refused("the listing")
        world.now += timedelta(minutes=2)
        assert await self.rows(world) == {"one": SecretState.UNKNOWN}
        assert await self.problems(world) == ["the listing is refused"]

    async def test_a_member_of_a_vault_that_is_not_configured_is_unknown(
        self, world: Service
    ) -> None:
        await world.rest()
        far = TargetId("https://elsewhere", "far")
        record = await world.stored()
        await world.save(seen={**record.seen, str(far): record.seen[str(ONE)]})
        rows, _ = await world.queries.rows()
        (row,) = [row for row in rows if row.target == far]
        assert (row.state, row.error and row.error.code) == (SecretState.UNKNOWN, "UnknownVault")

    async def test_a_member_without_tags_is_shown_and_one_that_is_gone_is_not(
        self, world: Service
    ) -> None:
        await world.rest()
        world.vaults.add(ONE, NOW, {}, KEYS.key1)
        world.now += timedelta(minutes=2)
        assert list(await self.rows(world)) == ["one"]
        world.vaults.secrets.clear()
        world.now += timedelta(minutes=2)
        assert await self.rows(world) == {}

    async def test_a_record_that_cannot_be_read_is_a_problem_and_fails_its_secrets(
        self, world: Service
    ) -> None:
        await world.store.put(SLUG, b"garbage")
        assert await self.rows(world) == {"one": SecretState.FAILING}
        (problem,) = await self.problems(world)
        assert SLUG in problem
        assert [SLUG in why for why in world.queries.unreadable] == [True]

    async def test_a_wrong_address_is_a_row_of_no_account(self, world: Service) -> None:
        world.vaults.add(TWO, NOW, TAGS | {"ProviderAddress": "nonsense"})
        assert (await self.rows(world))["two"] is SecretState.REFUSED

    async def test_a_leaked_key_that_works_is_shown_on_every_secret_of_its_account(
        self, world: Service
    ) -> None:
        await world.report(why="held", remedy="do it")
        rows, problems = await world.queries.rows()
        assert [(row.state, row.why) for row in rows] == [
            (SecretState.FAILING, "NOT REVOKED: held; do it")
        ]
        assert rows[0].error == Failure("NotRevoked", "NOT REVOKED: held", "do it", NOW)
        assert problems == []

    async def test_one_of_an_account_without_a_row_is_a_problem(self, world: Service) -> None:
        await world.report(account=OTHER, id=f"{OTHER.slug}-1", why="held", remedy="do it")
        assert await self.problems(world) == ["other: NOT REVOKED: held; do it"]

    async def test_one_that_was_abandoned_is_shown_until_its_slot_has_a_new_key(
        self, world: Service
    ) -> None:
        await world.report(verdict=Verdict.ABANDONED)
        await world.save(waiting="w")
        assert await self.rows(world) == {"one": SecretState.FAILING}
        await world.save(known_keys={"Key2": "f"}, births={"f": NOW + SECOND})
        assert await self.rows(world) != {"one": SecretState.FAILING}

    async def test_one_that_is_over_is_not_shown(self, world: Service) -> None:
        await world.report(verdict=Verdict.REFUSED, why="held")
        assert await self.rows(world) != {"one": SecretState.FAILING}

    async def test_one_that_is_open_and_not_held_is_under_way(self, world: Service) -> None:
        await world.report()
        assert await self.rows(world) != {"one": SecretState.FAILING}

    async def test_one_that_cannot_be_read_is_a_problem(self, world: Service) -> None:
        await world.store.put(PREFIX + LEAK, b"garbage")
        (problem,) = await self.problems(world)
        assert problem.startswith("NOT REVOKED: ")
        assert len(world.queries.unreadable) == 1

    async def test_a_hold_and_one_that_cannot_be_read_are_problems(self, world: Service) -> None:
        hold = FleetHold(NOW + DAY, "a freeze", "ana", NOW)
        await world.holds.put(hold)
        assert await self.problems(world) == [hold.sentence]
        await world.store.put("hold", b"garbage")
        (problem,) = await self.problems(world)
        assert "is not in force" in problem

    async def test_a_vault_whose_tags_were_changed_elsewhere_is_listed_again(
        self, world: Service
    ) -> None:
        await world.queries.rows()
        world.publish(TWO)
        assert list(await self.rows(world)) == ["one"]
        await world.marks.renew(A)
        assert list(await self.rows(world)) == ["one", "two"]

    async def test_an_account_without_a_bound_secret_is_stranded(self, world: Service) -> None:
        await world.rest()
        world.gatherer.bindings._current = None
        world.gatherer.bindings._setting = "kv=/subscriptions/s9"
        problems = await self.problems(world)
        assert any(one.startswith("acct-a is stranded") for one in problems)
