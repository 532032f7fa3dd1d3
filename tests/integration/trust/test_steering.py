"""Writers of a secret can move its account only within bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from emulator.azure import Azure
from rotation.domain.access import Caller
from rotation.domain.operation import Phase
from rotation.domain.record import Record
from rotation.domain.request import Request, RequestKind
from rotation.service.replies.fleet import SecretState

from ..wire.product import Product
from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values

KEY = "aoai-demo-key"
HALF_DAY = timedelta(hours=12)


def shared(azure: Azure) -> dict[str, str]:
    """Both vaults bound to the owners' account: the neighbours have a target of it too."""
    account = azure.account("aoai-demo").id
    return {"ROTATION_BINDINGS": f"{OWNERS}={account},{NEIGHBOURS}={account}"}


def join(azure: Azure, **more: str) -> None:
    """Put a secret of the neighbours that shows the owners' live key."""
    live_key = azure.secret(OWNERS, KEY).versions[-1].value
    put(azure, "theirs", live_key, tags(azure, "aoai-demo", **more))


def expire(azure: Azure, at: datetime, vault: str = OWNERS, name: str = KEY) -> None:
    """Edit the expiry of the latest version by hand."""
    azure.secret(vault, name).versions[-1].exp = int(at.timestamp())


async def state(p: Product, name: str = KEY) -> SecretState:
    rows, _ = await p.service.queries.rows()
    return next(row.state for row in rows if row.target.name == name)


class TestDueDates:
    async def test_a_neighbours_short_validity_does_not_rotate_the_owners_secret_every_day(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path, **shared(azure)) as p:
            join(azure, ValidityPeriodDays="1")
            await live(p, 30 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) <= 5

    async def test_nor_does_one_whose_secret_always_expires_tomorrow(self, tmp_path: Path) -> None:
        azure = estate()
        async with serving(azure, tmp_path, **shared(azure)) as p:
            join(azure)
            for _ in range(30):
                expire(azure, azure.clock.now() + DAY, NEIGHBOURS, "theirs")
                await live(p, DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_nor_do_new_secrets_that_expire_tomorrow_more_than_once_in_seven_days(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path, **shared(azure)) as p:
            for number in range(30):
                key = azure.secret(OWNERS, KEY).versions[-1].value
                soon = azure.clock.now() + DAY
                azure.add_secret(
                    NEIGHBOURS,
                    f"n-{number}",
                    value=key,
                    tags=tags(azure, "aoai-demo"),
                    expires=soon,
                )
                await live(p, DAY, every=HALF_DAY)
        assert len(set(values(azure, OWNERS, KEY))) <= 6

    async def test_an_early_expiry_after_the_enrolment_starts_no_rotation(
        self, tmp_path: Path
    ) -> None:
        """Also not on an account that was never rotated."""
        azure = estate(lives=80 * DAY)
        join(azure)
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, DAY)
            expire(azure, azure.clock.now() + DAY, NEIGHBOURS, "theirs")
            await live(p, 10 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 1

    async def test_a_lead_above_the_validity_does_not_rotate_every_day(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path, ROTATION_LEAD="P365D") as p:
            await live(p, 50 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_an_expiry_in_the_far_future_does_not_make_a_key_last(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path) as p:
            await live(p, 3 * DAY, every=HALF_DAY)
            expire(azure, datetime(2199, 1, 1, tzinfo=UTC))
            await p.triggers.sweep()
            fleet = await p.service.queries.fleet(Caller("me", frozenset()))
            (row,) = [row for row in fleet.secrets if row.secret == KEY]
            assert row.next_at is not None
            assert row.next_at < azure.clock.now() + 90 * DAY
            await live(p, 60 * DAY, every=DAY)
        assert len(values(azure, OWNERS, KEY)) == 3

    async def test_a_shorter_validity_counts_for_the_version_that_exists(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path) as p:
            await live(p, 3 * DAY, every=HALF_DAY)
            assert len(values(azure, OWNERS, KEY)) == 2
            shorter = tags(azure, "aoai-demo", ValidityPeriodDays="21")
            azure.secret(OWNERS, KEY).versions[-1].tags = shorter
            await live(p, 22 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 3

    async def test_rewriting_a_secret_does_not_make_its_key_younger(self, tmp_path: Path) -> None:
        azure = estate(lives=3000 * DAY)
        first = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path) as p:
            for _ in range(70):
                put(azure, KEY, values(azure, OWNERS, KEY)[-1], tags(azure, "aoai-demo"), OWNERS)
                expire(azure, azure.clock.now() + 3000 * DAY)
                await live(p, DAY, every=DAY)
            await live(p, 9 * DAY, every=HALF_DAY)
        assert values(azure, OWNERS, KEY)[-1] != first

    async def test_a_record_that_was_lost_does_not_make_a_key_younger(self, tmp_path: Path) -> None:
        azure = estate()
        async with serving(azure, tmp_path / "before") as p:
            await live(p, 50 * DAY, every=DAY)
            before = dict((await p.record()).births)
        async with serving(azure, tmp_path / "after") as p:
            await p.triggers.sweep()
            await p.run(DAY)
            (birth,) = (await p.record()).births.values()
        assert abs(birth - min(before.values())) < timedelta(minutes=5)

    async def test_an_expiry_that_we_write_never_starts_the_next_rotation_at_once(
        self, tmp_path: Path
    ) -> None:
        azure = estate(lives=DAY)
        azure.secret(OWNERS, KEY).versions[-1].tags = tags(
            azure, "aoai-demo", ValidityPeriodDays="1"
        )
        async with serving(azure, tmp_path) as p:
            await live(p, 3 * DAY, every=HALF_DAY)
        written = azure.secret(OWNERS, KEY).versions[-1]
        assert datetime.fromtimestamp(written.exp or 0, UTC) > azure.clock.now() + 7 * DAY


class TestEvents:
    def _event(self, azure: Azure, kind: str) -> dict[str, object]:
        vault, version = azure.vault(OWNERS), azure.secret(OWNERS, KEY).versions[-1]
        data = {"ObjectName": KEY, "ObjectType": "Secret", "Version": version.id}
        return {
            "id": "1",
            "type": f"Microsoft.KeyVault.{kind}",
            "source": vault.id,
            "subject": KEY,
            "data": data | {"VaultName": OWNERS},
        }

    async def test_forged_events_do_not_start_a_rotation(self, tmp_path: Path) -> None:
        azure = estate(lives=80 * DAY)
        async with serving(azure, tmp_path) as p:
            for kind in ("SecretNearExpiry", "SecretExpired"):
                await p.triggers.handle_event(self._event(azure, kind))
                await p.run(3 * DAY)
            assert not (await p.record()).requests
        assert len(values(azure, OWNERS, KEY)) == 1

    async def test_many_events_cause_one_look_a_minute(self, tmp_path: Path) -> None:
        azure = estate(lives=80 * DAY)
        async with serving(azure, tmp_path) as p:
            for _ in range(50):
                await p.triggers.handle_event(self._event(azure, "SecretNearExpiry"))
            await p.run(timedelta(seconds=30))
        assert len([c for c in azure.calls if c.operation == "arm.list_keys"]) <= 1

    async def test_an_event_about_a_due_secret_starts_its_rotation_at_once(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        async with serving(azure, tmp_path) as p:
            await p.triggers.handle_event(self._event(azure, "SecretNearExpiry"))
            await p.run(timedelta(minutes=5))
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_the_request_of_an_event_that_the_version_before_stored_is_dropped(
        self, tmp_path: Path
    ) -> None:
        azure = estate(lives=80 * DAY)
        version = azure.secret(OWNERS, KEY).versions[-1].id
        async with serving(azure, tmp_path) as p:
            stored = Request(
                "old", RequestKind.EXPIRY, "is near expiry", "Event Grid", azure.clock.now()
            )

            def add(record: Record) -> Record:
                request = replace(stored, secret=KEY, version=version)
                return replace(record, requests=(request,))

            await p.triggers.journal.amend(p.account(), add)
            await live(p, 2 * DAY)
            record = await p.record()
        assert not record.requests
        assert record.phase is Phase.IDLE
        assert len(values(azure, OWNERS, KEY)) == 1


class TestFirstEnrolment:
    async def test_it_is_spread_over_seven_times_the_spread(self, tmp_path: Path) -> None:
        azure = estate()
        async with serving(azure, tmp_path, ROTATION_SPREAD="P1D") as p:
            await live(p, timedelta(hours=2))
            assert await state(p) is SecretState.HEALTHY
            await live(p, 7 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_a_secret_that_expired_goes_first(self, tmp_path: Path) -> None:
        azure = estate(lives=-DAY)
        async with serving(azure, tmp_path, ROTATION_SPREAD="P1D") as p:
            await live(p, timedelta(hours=2))
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_so_does_one_that_expires_within_an_overlap(self, tmp_path: Path) -> None:
        azure = estate(lives=DAY)
        async with serving(azure, tmp_path, ROTATION_SPREAD="P1D") as p:
            await live(p, timedelta(hours=2))
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_one_without_an_expiry_is_rotated_within_the_spread(self, tmp_path: Path) -> None:
        azure = estate()
        azure.secret(OWNERS, KEY).versions[-1].exp = None
        async with serving(azure, tmp_path, ROTATION_SPREAD="P1D") as p:
            await live(p, 8 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2


class TestOverlap:
    async def test_rewriting_the_same_value_does_not_restart_it(self, tmp_path: Path) -> None:
        azure = estate()
        old = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path) as p:
            await live(p, timedelta(hours=2))
            for _ in range(4):
                put(azure, KEY, values(azure, OWNERS, KEY)[-1], tags(azure, "aoai-demo"), OWNERS)
                await live(p, timedelta(hours=8))
        assert azure.accounts.accepted(old) is None

    async def test_changing_a_secret_to_and_fro_delays_the_revocation_by_days_only(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        old = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path, **shared(azure)) as p:
            join(azure)
            await live(p, timedelta(hours=2))
            new = values(azure, OWNERS, KEY)[-1]
            for _ in range(20):
                put(azure, "theirs", old, tags(azure, "aoai-demo"))
                azure.advance(timedelta(seconds=2))
                put(azure, "theirs", new, tags(azure, "aoai-demo"))
                await live(p, HALF_DAY)
        assert azure.accounts.accepted(old) is None

    async def test_it_is_at_least_the_floor_and_at_most_seven_days(self, tmp_path: Path) -> None:
        azure = estate()
        azure.secret(OWNERS, KEY).versions[-1].tags = tags(
            azure, "aoai-demo", RotationOverlap="P90D", RotationMinimumInterval="P300D"
        )
        old = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path, ROTATION_OVERLAP="PT1S") as p:
            await live(p, 9 * DAY, every=HALF_DAY)
            note = str((await p.record()).notes)
        assert "RotationOverlap" in note
        assert "RotationMinimumInterval" in note
        assert azure.accounts.accepted(old) is None


class TestHolds:
    """The owners' rotation is due at once; a neighbour's secret of the same account holds it."""

    async def test_a_pause_of_one_secret_holds_the_others_for_seven_days_only(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        join(azure, RotationPaused="true")
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, 6 * DAY, every=HALF_DAY)
            assert len(values(azure, OWNERS, KEY)) == 1
            await live(p, 4 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_if_every_secret_is_paused_the_account_is(self, tmp_path: Path) -> None:
        azure = estate()
        azure.secret(OWNERS, KEY).versions[-1].tags = tags(
            azure, "aoai-demo", RotationPaused="true"
        )
        async with serving(azure, tmp_path) as p:
            await live(p, 20 * DAY, every=DAY)
            assert await state(p) is SecretState.PAUSED
        assert len(values(azure, OWNERS, KEY)) == 1

    async def test_windows_that_never_meet_hold_it_for_seven_days_only(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        azure.secret(OWNERS, KEY).versions[-1].tags = tags(
            azure, "aoai-demo", RotationWindow="* 01:00-02:00"
        )
        join(azure, RotationWindow="* 13:00-14:00")
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, 9 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_a_disabled_secret_holds_it_for_seven_days_only(self, tmp_path: Path) -> None:
        azure = estate()
        join(azure)
        azure.secret(NEIGHBOURS, "theirs").versions[-1].enabled = False
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, 6 * DAY, every=HALF_DAY)
            assert len(values(azure, OWNERS, KEY)) == 1
            await live(p, 4 * DAY, every=HALF_DAY)
        assert len(values(azure, OWNERS, KEY)) == 2

    async def test_a_vault_that_cannot_be_read_holds_each_step_within_the_bound(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        join(azure)
        old = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, timedelta(hours=3))
            assert len(values(azure, OWNERS, KEY)) == 2
            azure.vault(NEIGHBOURS).public_network = False
            await live(p, 6 * DAY, every=HALF_DAY)
            assert azure.accounts.accepted(old) is not None, "its consumers may still use it"
            await live(p, 4 * DAY, every=HALF_DAY)
            (done,) = (await p.record()).history
        assert azure.accounts.accepted(old) is None
        assert "theirs" in str(done.left_behind)

    async def test_a_secret_that_is_overwritten_again_and_again_does_not_stop_the_others(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        join(azure)
        old = values(azure, OWNERS, KEY)[0]
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, timedelta(hours=3))
            for _ in range(14):
                put(azure, "theirs", old, tags(azure, "aoai-demo"))
                await live(p, DAY, every=timedelta(hours=6))
            record = await p.record()
        assert azure.accounts.accepted(old) is None
        assert record.blocked is None

    async def test_dead_values_of_one_secret_leave_the_repairs_of_the_others(
        self, tmp_path: Path
    ) -> None:
        azure = estate(lives=80 * DAY)
        join(azure)
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, timedelta(hours=3))
            for number in range(10):
                put(azure, "theirs", f"{number:032d}", tags(azure, "aoai-demo"))
                await live(p, timedelta(hours=1))
            put(azure, KEY, "d" * 32, tags(azure, "aoai-demo"), OWNERS)
            await live(p, timedelta(hours=1), every=timedelta(minutes=15))
        assert values(azure, OWNERS, KEY)[-1] in azure.account("aoai-demo").keys.values()

    async def test_bad_tags_of_one_secret_count_as_the_defaults_and_are_shown(
        self, tmp_path: Path
    ) -> None:
        azure = estate()
        join(azure, RotationOverlap="soon", RotationWindow="never")
        async with serving(azure, tmp_path, **shared(azure)) as p:
            await live(p, 3 * DAY, every=HALF_DAY)
            assert "RotationWindow" in str((await p.record()).notes)
        assert len(values(azure, OWNERS, KEY)) == 2
