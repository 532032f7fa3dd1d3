"""Notifications about an operation: told once, newest last; the audit record of one that ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rotation.decisions.notifications import audit_record, notify
from rotation.domain.operation import Ending, Phase, Purpose
from rotation.domain.record import OUTBOX, Notification
from rotation.domain.request import Leaked

from .account import ACCOUNT, NOW, facts, rotation, running

HOUR = timedelta(hours=1)


class TestNotify:
    def test_it_is_named_by_its_operation_and_kind(self) -> None:
        f = running(Phase.VERIFY, rotation())
        (one,) = notify(f.record, f, "rotated", {"slot": "Key2"}).outbox
        assert one == Notification("op-1-rotated", "rotated", NOW, {"slot": "Key2"})

    def test_and_by_its_subject_if_there_are_several(self) -> None:
        f = running(Phase.VERIFY, rotation())
        (one,) = notify(f.record, f, "failed", {"of": "left-behind-a"}).outbox
        assert one.id == "op-1-failed-left-behind-a"

    def test_without_an_operation_by_the_account_and_its_epoch(self) -> None:
        f = facts(epoch=7)
        (one,) = notify(f.record, f, "failed", {}).outbox
        assert one.id == f"{ACCOUNT.slug}-7-failed"

    def test_a_step_that_is_repeated_replaces_it(self) -> None:
        f = running(Phase.VERIFY, rotation())
        record = notify(notify(f.record, f, "failed", {"n": "1"}), f, "rotated", {})
        again = notify(record, f, "failed", {"n": "2"}).outbox
        assert [(n.type, n.data.get("n")) for n in again] == [("rotated", None), ("failed", "2")]

    def test_the_oldest_is_dropped_if_too_many_wait(self) -> None:
        f = running(Phase.VERIFY, rotation())
        waiting = tuple(Notification(str(n), "failed", NOW, {}) for n in range(OUTBOX))
        found = notify(replace(f.record, outbox=waiting), f, "rotated", {}).outbox
        assert len(found) == OUTBOX
        assert (found[0].id, found[-1].type) == ("1", "rotated")


class TestAuditRecord:
    DONE = rotation(
        purpose=Purpose.EMERGENCY,
        ending=Ending.DONE,
        outcome="revoked",
        requester="ana",
        role="r",
        reason="leaked",
        request_id="q-1",
        leaked=Leaked.KEY1,
        asked_at=NOW - 2 * HOUR,
        ended_at=NOW,
    )

    def test_it_holds_everything_about_an_operation(self) -> None:
        assert audit_record(ACCOUNT, self.DONE) == {
            "account": str(ACCOUNT),
            "operation": "op-1",
            "purpose": "emergency",
            "ending": "done",
            "outcome": "revoked",
            "requester": "ana",
            "role": "r",
            "reason": "leaked",
            "request": "q-1",
            "leaked": Leaked.KEY1.value,
            "askedAt": (NOW - 2 * HOUR).isoformat(),
            "endedAt": NOW.isoformat(),
            "seconds": "7200",
        }

    @pytest.mark.parametrize("name", ["role", "request"])
    def test_without_empty_members(self, name: str) -> None:
        done = replace(self.DONE, role=None, request_id=None)
        assert name not in audit_record(ACCOUNT, done)

    def test_it_counts_from_the_start_if_nobody_asked_and_ends_with_its_last_phase(self) -> None:
        done = replace(self.DONE, asked_at=None, ended_at=None)
        found = audit_record(ACCOUNT, done)
        assert found["askedAt"] == done.started_at.isoformat()
        assert found["endedAt"] == done.phase_since.isoformat()
