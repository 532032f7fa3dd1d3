"""A secret that shows a foreign value by now: its consumers may still hold a former key."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.keys import Key, Slot
from rotation.domain.operation import Phase
from rotation.domain.targets import Version

from .account import KEYS, LONG_AGO, NOW, rotation, running, target

HOUR = timedelta(hours=1)
FOREIGN = target("b", Key("{}"), version="v3", created=NOW - HOUR)


def revoking(replaced_at: timedelta) -> Facts:
    """Key1 is to be revoked; the owner wrote Key1 into ``b`` again, and then a document."""
    since = NOW - timedelta(days=3)
    f = running(Phase.REVOKE, rotation(started_at=since), target("a", KEYS.key2, created=since))
    theirs = (
        Version(FOREIGN.id, "v1", LONG_AGO, KEYS.key1),
        Version(FOREIGN.id, "v2", NOW - replaced_at, None),
        Version(FOREIGN.id, "v3", FOREIGN.created, None),
    )
    return replace(f, foreign=(FOREIGN,), versions=(*(f.versions or ()), *theirs))


def test_its_former_key_is_not_revoked_within_an_overlap() -> None:
    action = decide(revoking(3 * HOUR))
    assert action.kind is ActionKind.WAIT
    assert action.not_before == NOW + 23 * HOUR


def test_its_versions_are_read_before_that_is_decided() -> None:
    assert decide(replace(revoking(3 * HOUR), versions=None)).missing.versions


def test_after_an_overlap_the_key_is_revoked() -> None:
    action = decide(revoking(27 * HOUR))
    assert action.kind is ActionKind.SEND
    assert action.slot is Slot.KEY1


def test_a_key_that_it_published_was_published() -> None:
    """Else a record with another salt would make it pass for one that was made just now."""
    f = revoking(3 * HOUR)
    forgotten = replace(f.operation, retired="another")
    action = decide(replace(f, record=replace(f.record, operation=forgotten)))
    assert action.record.phase is Phase.OVERLAP
