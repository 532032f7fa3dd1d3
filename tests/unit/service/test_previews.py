"""Previews tell what would happen next, and change nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from rotation.domain.errors import Permanent, Transient
from rotation.domain.ids import TargetId
from rotation.domain.request import Leaked
from rotation.service import previews
from rotation.service.requests import RotationRequest
from rotation.service.views import effects
from tests.unit.decisions.account import ACCOUNT, KEYS, NOW
from tests.unit.engine.test_gatherer import ONE, OTHER, TAGS, TWO, A
from tests.unit.engine.test_reconciler import ASKED
from tests.unit.engine.vaults import refused

from .world import Service

ROTATE = RotationRequest("a test", "ana", secret=ONE)
EVERYTHING = RotationRequest("a test", "ana", everything=True)


@pytest.fixture
async def world(tmp_path: Path) -> Service:
    """Return an account at rest, and another one that was never visited."""
    made = Service(tmp_path)
    await made.rest()
    made.vaults.add(TWO, NOW, TAGS | {"ProviderAddress": str(OTHER)}, KEYS.key1)
    made.now += timedelta(minutes=2)
    made.store.writes.clear()
    return made


class TestSecret:
    async def test_it_has_its_row_its_next_step_its_versions_and_its_settings(
        self, world: Service
    ) -> None:
        found = await world.previews.secret(ONE)
        assert (found.at, found.secret.secret, found.problems) == (world.now, "one", [])
        assert found.now is not None
        assert (found.now.account, found.now.action) == (str(ACCOUNT), "idle")
        assert [(one.version, one.slot) for one in found.versions] == [("v1", "Key1")]
        assert {one.name: one.value for one in found.settings}["validity"] == "90 days"
        assert found.rotations == []
        assert world.store.writes == []

    async def test_it_has_the_rotations_of_its_account_only(self, world: Service) -> None:
        await world.save(requests=(ASKED,))
        assert [one.id for one in (await world.previews.secret(ONE)).rotations] == ["r-1"]
        assert (await world.previews.secret(TWO)).rotations == []

    async def test_versions_that_cannot_be_listed_are_a_problem(self, world: Service) -> None:
        async def fail(target: object) -> None:
            raise refused("the list")

        world.vaults.list_versions = fail  # type: ignore[method-assign, assignment]
        found = await world.previews.secret(ONE)
        assert (found.versions, found.problems) == ([], ["the list is refused"])

    async def test_a_secret_with_wrong_tags_has_no_account_to_preview(self, world: Service) -> None:
        world.vaults.add(TWO, NOW, TAGS | {"ProviderAddress": "nonsense"})
        found = await world.previews.secret(TWO)
        assert (found.now, found.rotations) == (None, [])
        assert found.secret.state == "refused"

    async def test_a_step_that_cannot_be_decided_says_why(self, world: Service) -> None:
        world.accounts.errors = {"get": Permanent("gone", code="NotFound", remedy="look")}
        found = await world.previews.secret(ONE)
        exc = Permanent("gone", code="NotFound", remedy="look")
        assert found.now == effects.describe_error(ACCOUNT, exc)

    async def test_one_that_is_not_enrolled_is_refused(self, world: Service) -> None:
        with pytest.raises(Permanent):
            await world.previews.secret(TargetId(A, "three"))


class TestRequest:
    async def test_it_tells_what_the_request_would_do(self, world: Service) -> None:
        found = await world.previews.request(ROTATE)
        assert (found.dry_run, found.accounts, found.secrets) == (True, 1, 1)
        (one,) = found.would
        assert (one.account, one.action) == (str(ACCOUNT), "send")
        assert one.effects[0].startswith("Regenerate Key2")
        assert (world.store.writes, world.accounts.regenerated) == ([], [])

    async def test_of_many_accounts_only_the_first_are_previewed(
        self, world: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = await world.previews.request(EVERYTHING)
        assert (found.accounts, found.secrets, len(found.would)) == (2, 2, 2)
        monkeypatch.setattr(previews, "MAX_ACCOUNTS", 1)
        found = await world.previews.request(EVERYTHING)
        assert (found.accounts, len(found.would)) == (2, 1)

    async def test_an_emergency_is_previewed_as_one(self, world: Service) -> None:
        leak = replace(ROTATE, secret=None, account=ACCOUNT, leaked=Leaked.KEY2)
        (one,) = (await world.previews.request(leak)).would
        assert one.action == "send"


class TestNextSweep:
    async def test_it_has_all_accounts_and_the_first_previews(
        self, world: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(previews, "MAX_ACCOUNTS", 1)
        found = await world.previews.next_sweep()
        assert (found.accounts, len(found.would), found.problems) == (2, 1, [])
        assert world.store.writes == []

    async def test_it_lists_the_vaults_again_and_tells_their_problems(self, world: Service) -> None:
        await world.previews.next_sweep()
        world.vaults.errors[A] = Transient("busy")
        assert (await world.previews.next_sweep()).problems == ["busy"]
