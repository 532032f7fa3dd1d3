"""Refreshes after a publish: once per version, with pauses, and an end."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from msgspec.structs import replace

from rotation.decisions import nudges
from rotation.decisions.facts import Facts
from rotation.domain import consumers
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import Nudge
from rotation.domain.targets import Target

from .account import KEYS, NOW, rotation, running, target

SITE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/shop"


def selecting(version: str = "v2", name: str = "a") -> Target:
    found = target(name, KEYS.key2, version=version)
    return dataclasses.replace(
        found, enrolment=dataclasses.replace(found.enrolment, consumers=("shop", "chat"))
    )


def facts(*targets: Target) -> Facts:
    vault = targets[0].id.vault
    text = f"shop@{vault.removeprefix('https://')}={SITE}, chat@{vault.removeprefix('https://')}=https://chat.contoso.com"
    known = consumers.parse(text, (vault,))
    f = running(Phase.OVERLAP, rotation(), *targets)
    return replace(f, policy=Policy(consumers=known))


def test_each_consumer_with_an_app_is_asked_once_per_version() -> None:
    one = selecting()
    f = facts(one)
    asked = nudges.ask(f.record, f, (one,))
    assert set(asked.nudges) == {"shop"}
    assert nudges.due(asked, NOW) == ("shop",)
    done = nudges.tried(asked, "shop", "", NOW)
    assert nudges.next_at(done) is None
    assert nudges.ask(done, f, (one,)) == done
    assert nudges.due(nudges.ask(done, f, (selecting("v3"),)), NOW) == ("shop",)
    both = (one, selecting("v9", "b"))
    assert nudges.due(nudges.ask(done, f, both), NOW) == ("shop",)


def test_a_failure_is_tried_again_with_pauses_until_there_have_been_nine() -> None:
    one = selecting()
    f = facts(one)
    record, now, tries = nudges.ask(f.record, f, (one,)), NOW, 0
    while at := nudges.next_at(record):
        assert nudges.due(record, at - timedelta(seconds=1)) == ()
        record, now, tries = nudges.tried(record, "shop", "refused", at), at, tries + 1
    assert tries == len(nudges.PAUSES) + 1
    assert now - NOW == sum(nudges.PAUSES, timedelta())
    assert record.operation is not None
    lines = [entry.what for entry in record.operation.audit if "shop" in entry.what]
    assert [line.rpartition("; ")[2] for line in lines] == [
        "it is tried again",
        "nobody tries it again",
    ]


def test_an_attempt_after_the_end_is_noted_on_the_operation_that_ended() -> None:
    one = selecting()
    f = facts(one)
    asked = nudges.ask(f.record, f, (one,))
    ended = replace(asked, operation=None, history=(f.operation,))
    noted = nudges.tried(ended, "shop", "", NOW)
    assert noted.history[-1].audit[-1].what == "shop was asked to read its secret again"
    assert nudges.tried(f.record, "shop", "", NOW) == f.record


def test_a_consumer_of_several_secrets_is_asked_once_for_all() -> None:
    both = selecting(), selecting("v9", "b")
    f = facts(*both)
    asked = nudges.ask(f.record, f, both)
    assert asked.nudges["shop"] == Nudge(tuple(f"{t.id}/{t.version}" for t in both), NOW)
    assert nudges.ask(asked, f, both[:1]) == asked


def test_what_others_were_asked_stays() -> None:
    one = selecting()
    f = facts(one)
    record = replace(f.record, nudges={"chat": Nudge(("x",), None, 1)})
    assert set(nudges.ask(record, f, (one,)).nudges) == {"chat", "shop"}
    asked = nudges.ask(record, f, (one,))
    assert nudges.tried(asked, "shop", "", NOW).nudges["chat"] == Nudge(("x",), None, 1)


def test_the_earliest_attempt_is_next_and_only_the_due_ones_are_made() -> None:
    minute = timedelta(minutes=1)
    waiting = {"a": NOW + 2 * minute, "b": NOW, "c": None, "d": NOW + minute}
    record = replace(
        facts(selecting()).record, nudges={n: Nudge((), at) for n, at in waiting.items()}
    )
    assert nudges.next_at(record) == NOW
    assert nudges.due(record, NOW) == ("b",)
    assert nudges.due(record, NOW + minute) == ("b", "d")


def test_an_attempt_counts_and_keeps_its_error() -> None:
    one = selecting()
    f = facts(one)
    failed = nudges.tried(nudges.ask(f.record, f, (one,)), "shop", "refused", NOW)
    found = failed.nudges["shop"]
    assert (found.tries, found.error, found.next_at) == (1, "refused", NOW + nudges.PAUSES[0])
    assert found.versions == (f"{one.id}/v2",)
    done = nudges.tried(failed, "shop", "", NOW)
    assert (done.nudges["shop"].tries, done.nudges["shop"].error) == (2, "")


def test_only_the_last_operation_is_noted_if_there_is_one() -> None:
    one = selecting()
    f = facts(one)
    asked = replace(nudges.ask(f.record, f, (one,)), operation=None)
    history = (f.operation, replace(f.operation, id="op-2"))
    noted = nudges.tried(replace(asked, history=history), "shop", "", NOW)
    assert noted.history[0] == f.operation
    assert noted.history[1].audit
    alone = nudges.tried(asked, "shop", "", NOW)
    assert (alone.history, alone.nudges["shop"].next_at) == ((), None)
