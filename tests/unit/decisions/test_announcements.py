"""Changes of membership are told: who came, who left, whose binding was removed."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from rotation.decisions.announcements import announced, notice
from rotation.decisions.membership import Context, Membership
from rotation.domain.bindings import Bindings
from rotation.domain.ids import TargetId
from rotation.domain.membership import Member
from rotation.domain.record import OUTBOX, Notification, Record

from .account import ACCOUNT, KEYS, NOW, name, target

EMPTY = Record(ACCOUNT, "salt")
A, B = TargetId("https://kv", "a"), TargetId("https://kv", "b")
MINUTE = timedelta(minutes=1)


def context(record: Record = EMPTY) -> Context:
    return Context(record, Bindings(()), KEYS, NOW, timedelta(hours=26))


def told(found: Membership, record: Record = EMPTY) -> list[Notification]:
    return list(announced(record, context(record), found).outbox)


def members(**more: Member) -> Record:
    return replace(EMPTY, members={name(secret): one for secret, one in more.items()})


def test_an_admitted_secret_is_told_with_its_account_and_the_reason() -> None:
    (one,) = told(Membership(admitted=[A]))
    assert (one.type, one.at) == ("admitted", NOW)
    assert one.data == {"account": str(ACCOUNT), "secret": str(A), "reason": "bound and tagged"}


def test_a_secret_that_left_is_told() -> None:
    (one,) = told(Membership(left=[A]))
    assert (one.type, one.data["secret"]) == ("left", str(A))
    assert "deleted" in one.data["reason"]


def test_a_secret_whose_binding_was_removed_is_told_once() -> None:
    found = Membership(withdrawn=[target("a"), target("b")])
    record = members(a=Member(NOW), b=Member(NOW, withdrawn=True))
    (one,) = told(found, record)
    assert (one.type, one.data["secret"]) == ("withdrawn", str(A))
    assert "binding" in one.data["reason"]


def test_also_if_the_record_does_not_know_it() -> None:
    assert [n.type for n in told(Membership(withdrawn=[target("a")]))] == ["withdrawn"]


def test_each_change_is_told_admissions_first() -> None:
    found = Membership(left=[A], admitted=[B], withdrawn=[target("c")])
    assert [n.type for n in told(found)] == ["admitted", "left", "withdrawn"]


def test_a_step_that_is_repeated_tells_nothing_twice() -> None:
    once = announced(EMPTY, context(), Membership(admitted=[A]))
    again = announced(once, context(once), Membership(admitted=[A], left=[B]))
    assert [n.type for n in again.outbox] == ["admitted", "left"]


def test_without_a_change_the_record_stays_as_it_is() -> None:
    assert announced(EMPTY, context(), Membership(targets=[target()])) is EMPTY


def test_notifications_that_wait_stay_and_the_oldest_is_dropped() -> None:
    waiting = tuple(Notification(str(n), "failed", NOW, {}) for n in range(OUTBOX))
    few = replace(EMPTY, outbox=waiting[:2])
    assert [n.id for n in told(Membership(left=[A]), few)][:2] == ["0", "1"]
    full = told(Membership(left=[A]), replace(EMPTY, outbox=waiting))
    assert len(full) == OUTBOX
    assert [full[0].id, full[-1].type] == ["1", "left"]


class TestId:
    """A receiver drops a repetition by its id."""

    def id(self, secret: TargetId = A, kind: str = "left", later: timedelta = 0 * MINUTE) -> str:
        return notice(ACCOUNT, kind, secret, "why", NOW + later).id

    def test_it_is_the_same_within_the_minute(self) -> None:
        assert self.id() == self.id(later=timedelta(seconds=59))
        assert self.id() != self.id(later=MINUTE)

    def test_it_differs_by_secret_and_by_change(self) -> None:
        assert len({self.id(), self.id(B), self.id(kind="admitted")}) == 3

    def test_it_names_the_account_and_the_change(self) -> None:
        assert self.id().startswith(f"{ACCOUNT.slug}-left-")
        assert len(self.id()) == len(f"{ACCOUNT.slug}-left-") + 12
