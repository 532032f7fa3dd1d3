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
