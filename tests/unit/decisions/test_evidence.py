"""Evidence before a revocation: who has read the former version, and what a silent log means."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import evidence
from rotation.decisions.actions import Action, ActionKind, MissingFacts
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.errors import Permanent
from rotation.domain.evidence import EvidencePolicy, Readers
from rotation.domain.operation import Phase, Purpose
from rotation.domain.policy import Policy
from rotation.domain.record import Failure
from rotation.domain.request import Request, RequestKind
from rotation.domain.targets import SecretRead

from .account import KEYS, NOW, rotation, running, target

OVER = NOW - timedelta(hours=27)  # the overlap of 26 hours is over since an hour
SECOND = timedelta(seconds=1)
STALE = Readers(stale=("app-1",))
REQUIRE, WARN, OFF = EvidencePolicy.REQUIRE, EvidencePolicy.WARN, EvidencePolicy.OFF


def overlap(
    readers: Readers | None = None,
    policy: EvidencePolicy = REQUIRE,
    *,
    published: datetime = OVER,
    purpose: Purpose = Purpose.ROTATE,
    **record: Any,
) -> Facts:
    """Return a rotation in its overlap, whose secret shows the new key since ``published``."""
    one = target("a", KEYS.key2, version="v2", created=published)
    operation = rotation(overlap_until=published, purpose=purpose)
    f = running(Phase.OVERLAP, operation, one, **record)
    return replace(f, policy=Policy(evidence=policy), readers=readers)


def phase_after(f: Facts) -> tuple[ActionKind, Phase]:
    action = decide(f)
    return action.kind, action.record.phase


REVOKES = (ActionKind.MOVE, Phase.REVOKE)


def test_the_logs_are_read_only_once_the_overlap_is_over_and_if_the_policy_asks() -> None:
    assert decide(overlap()).missing == MissingFacts(readers=True)
    assert phase_after(overlap(policy=OFF)) == REVOKES
    early = decide(overlap(published=NOW - timedelta(hours=25)))
    assert (early.kind, early.missing) == (ActionKind.WAIT, MissingFacts())


@pytest.mark.parametrize("policy", EvidencePolicy)
def test_a_key_without_stale_readers_is_revoked(policy: EvidencePolicy) -> None:
    assert phase_after(overlap(Readers(), policy)) == REVOKES


@pytest.mark.parametrize("readers", [STALE, Readers(unlogged=("a",))])
def test_require_waits_for_a_stale_reader_and_for_a_log_that_shows_nothing(
    readers: Readers,
) -> None:
    action = decide(overlap(readers))
    assert (action.kind, action.not_before) == (ActionKind.WAIT, NOW + evidence.PAUSE)
    assert (*readers.stale, *readers.unlogged)[0] in action.reason


def test_warn_revokes_and_names_the_reader_in_the_audit_trail() -> None:
    action = decide(overlap(STALE, WARN))
    assert (action.kind, action.record.phase) == REVOKES
    assert action.record.operation is not None
    assert "app-1" in action.record.operation.audit[-1].what


def test_after_the_deadline_a_person_decides() -> None:
    overdue = NOW - timedelta(days=7, hours=26)
    waiting = decide(overlap(STALE, published=overdue + SECOND))
    assert (waiting.kind, waiting.not_before) == (ActionKind.WAIT, NOW + SECOND)
    blocked = decide(overlap(STALE, published=overdue))
    assert blocked.kind is ActionKind.BLOCKED
    assert blocked.record.blocked is not None
    assert blocked.record.blocked.code == "evidence-missing"


def answer(kind: RequestKind) -> Request:
    return Request("r-1", kind, "they are gone", "ada", NOW)


def stopped(code: str, kind: RequestKind) -> Action:
    cause = Failure(code, "still reading: app-1", "resume", NOW)
    return decide(overlap(STALE, blocked=cause, requests=(answer(kind),)))


def test_a_resume_revokes_and_that_is_recorded() -> None:
    action = stopped("evidence-missing", RequestKind.RESUME)
    assert (action.kind, action.record.phase) == REVOKES
    assert action.record.blocked is None
    assert action.record.operation is not None
    assert "without evidence: still reading: app-1" in action.record.operation.audit[-1].what


def test_a_resume_after_another_block_and_an_abandon_revoke_nothing() -> None:
    assert stopped("new-key-not-proven", RequestKind.RESUME).record.phase is Phase.OVERLAP
    assert stopped("evidence-missing", RequestKind.ABANDON).record.phase is Phase.IDLE


def test_an_emergency_never_waits_for_evidence() -> None:
    f = overlap(STALE, purpose=Purpose.EMERGENCY)
    f = replace(f, record=replace(f.record, requests=()))
    assert decide(f).missing != MissingFacts(readers=True)


ONE = target("a", KEYS.key2, version="v2", created=OVER)


def judged(*reads: SecretRead, ignored: str = "") -> Readers:
    return evidence.judge([(ONE, reads)], frozenset({ignored}), NOW)


def read(identity: str, version: str | None, at: datetime = NOW) -> SecretRead:
    return SecretRead(identity, version, at)


class TestJudge:
    def test_a_reader_of_the_former_version_is_stale_until_it_reads_the_new_one(self) -> None:
        former = read("app", "v1", OVER - SECOND)
        assert judged(former, read("other", "v2")) == Readers(stale=("app",))
        assert judged(former, read("app", "v2")) == Readers()

    def test_a_read_without_a_version_counts_by_its_time(self) -> None:
        ours = read("rotation", "v2")
        assert judged(read("app", None, OVER + SECOND), ours) == Readers()
        assert judged(read("app", None, OVER), ours) == Readers(stale=("app",))

    def test_ignored_identities_do_not_count_but_show_that_the_log_works(self) -> None:
        assert judged(read("Scanner", "v1"), ignored="scanner") == Readers()

    def test_without_a_row_nothing_is_known(self) -> None:
        assert judged() == Readers(unlogged=("a",))

    def test_a_log_that_cannot_be_read_is_explained_with_its_remedy(self) -> None:
        error = Permanent("ask who has read a: 403", code="Forbidden", remedy="grant the role")
        found = evidence.judge([(ONE, error), (ONE, error)], frozenset(), NOW)
        assert found == Readers(unlogged=("a", "a"), error=error.advice)
        assert "grant the role" in str(found)

    def test_a_log_that_stopped_before_the_publish_or_half_a_day_ago_shows_nothing(self) -> None:
        assert judged(read("x", "v2", OVER)).unlogged == ("a",)
        assert judged(read("x", "v2", NOW - evidence.QUIET)).unlogged == ()
        assert judged(read("x", "v2", NOW - evidence.QUIET - SECOND)).unlogged == ("a",)

    def test_each_secret_needs_its_own_log(self) -> None:
        other = target("b", KEYS.key2, version="v3", created=OVER)
        found = evidence.judge([(ONE, [read("x", "v2")]), (other, [])], frozenset(), NOW)
        assert found == Readers(unlogged=("b",))


class TestWorks:
    """A log counts if its newest row is of the last twelve hours and of the published version."""

    def unlogged(self, *reads: SecretRead, created: datetime = OVER) -> bool:
        one = target("a", KEYS.key2, version="v2", created=created)
        return evidence.judge([(one, reads)], frozenset(), NOW).unlogged == ("a",)

    def test_the_newest_row_decides(self) -> None:
        old, new = read("x", "v2", NOW - timedelta(hours=20)), read("y", "v2", NOW - SECOND)
        assert not self.unlogged(old, new)
        assert not self.unlogged(new, old)

    def test_one_before_the_publish_is_not_enough_though_it_is_of_today(self) -> None:
        hour = timedelta(hours=1)
        early = read("x", "v1", NOW - 2 * hour)
        assert self.unlogged(early, created=NOW - hour)
        assert self.unlogged(early, created=NOW - 2 * hour)
        assert not self.unlogged(early, created=NOW - 2 * hour - SECOND)

    def test_one_after_the_publish_is_not_enough_if_it_is_too_old(self) -> None:
        twelve = timedelta(hours=12)
        assert not self.unlogged(read("x", "v2", NOW - twelve))
        assert self.unlogged(read("x", "v2", NOW - twelve - SECOND))

    def test_a_log_that_cannot_be_read_does_not_work(self) -> None:
        error = Permanent("no", code="Forbidden", remedy="grant the role")
        other = Permanent("gone", code="NotFound", remedy="create it")
        found = evidence.judge([(ONE, error), (ONE, other)], frozenset(), NOW)
        assert (found.unlogged, found.error) == (("a", "a"), error.advice)


def test_the_readers_of_all_secrets_are_named_once_in_order() -> None:
    two = target("b", KEYS.key2, version="v2", created=OVER)
    reads = [read("z", "v1"), read("m", "v1"), read("m", "v1"), read("ours", "v2")]
    found = evidence.judge([(ONE, reads), (two, reads)], frozenset({"ours"}), NOW)
    assert found.stale == ("m", "z")


def test_a_reader_of_one_secret_that_moved_may_be_stale_at_another() -> None:
    two = target("b", KEYS.key2, version="v2", created=OVER)
    found = evidence.judge([(ONE, [read("m", "v2")]), (two, [read("m", "v1")])], frozenset(), NOW)
    assert found.stale == ("m",)


def test_a_read_of_a_later_version_than_the_published_one_proves_nothing() -> None:
    assert judged(read("app", "v3", NOW), read("ours", "v2")).stale == ("app",)
