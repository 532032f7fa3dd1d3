"""Secrets that an emergency publishes to in a step, and those that it gives up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rotation.decisions import patience
from rotation.decisions.actions import ActionKind
from rotation.decisions.chain import decide
from rotation.decisions.facts import Facts
from rotation.domain.errors import Permanent, Transient
from rotation.domain.keys import Key
from rotation.domain.operation import Attempt, Phase, PublishedVersion, Purpose
from rotation.domain.probing import ProbeResult, ProbeVerdict
from rotation.domain.targets import Target

from .account import KEYS, NOW, OLD, document, responding, rotation, running, seen, target

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SHOWN = target("a")
A = str(SHOWN.id)


def publishing(attempt: Attempt, shown: Target = SHOWN) -> Facts:
    """Return an emergency that has published to ``b``, and not to ``a``."""
    operation = rotation(
        purpose=Purpose.EMERGENCY,
        phase_since=NOW - 20 * MINUTE,
        attempts={str(shown.id): attempt},
        unproven=True,
    )
    return running(Phase.PUBLISH, operation, shown, target("b", KEYS.key2))


def tries(f: Facts) -> bool:
    return decide(f).kind is ActionKind.PUBLISH


@pytest.mark.parametrize(("ago", "tried"), [(4, False), (5, True), (59, True)])
def test_a_secret_that_may_heal_is_tried_every_few_seconds(ago: int, tried: bool) -> None:
    failed = Attempt(NOW - MINUTE, NOW - ago * SECOND, "ServiceUnavailable")
    assert tries(publishing(failed)) is tried


@pytest.mark.parametrize(("ago", "tried"), [(5, False), (59, False), (60, True), (1800, True)])
def test_one_that_was_given_up_is_tried_again_if_nothing_happened_for_a_while(
    ago: int, tried: bool
) -> None:
    """For example because the queue was down."""
    f = publishing(Attempt(NOW - 30 * MINUTE, NOW - ago * SECOND, "ServiceUnavailable"))
    assert tries(f) is tried
    assert tried or decide(f).record.phase is Phase.OVERLAP


def test_one_that_cannot_heal_is_not_tried_again() -> None:
    gone = Attempt(NOW - 15 * MINUTE, NOW - 15 * MINUTE, "Forbidden", hopeless=True)
    assert not tries(publishing(gone))


def test_one_that_could_not_heal_is_tried_once_more_for_the_next_leak() -> None:
    """For example because its vault is open again."""
    closed = Attempt(NOW - 21 * MINUTE, NOW - 21 * MINUTE, "ForbiddenByFirewall", hopeless=True)
    assert tries(publishing(closed))


def test_a_disabled_version_that_nobody_has_read_is_left_alone_at_once() -> None:
    """It may hold a password, and only a person can enable it."""
    unread = target("a", None, version="v9")
    f = publishing(Attempt(NOW, NOW - MINUTE, "ServiceUnavailable"), unread)
    action = decide(f)
    assert action.record.phase is Phase.OVERLAP
    assert action.record.operation is not None
    assert action.record.operation.attempts[A].hopeless


def test_one_that_was_read_before_is_written_to() -> None:
    assert tries(publishing(Attempt(NOW - MINUTE, NOW - MINUTE, "x"), target("a", None)))


def test_a_value_that_turns_out_to_be_a_former_key_is_overwritten_after_all() -> None:
    """No probe could tell; after ten minutes it is certain that it is neither key."""
    f = publishing(Attempt(NOW - 6 * MINUTE, NOW - SECOND, "foreign-value"), target("a", OLD))
    silent = {key: ProbeVerdict(ProbeResult.INCONCLUSIVE) for key in (OLD, *f.verdicts)}
    known = {**f.record.seen, A: seen(OLD, since=NOW - 11 * MINUTE)}
    assert tries(replace(f, record=replace(f.record, seen=known), verdicts=silent))
    assert not tries(replace(f, verdicts=silent))


class TestGivenUp:
    @pytest.mark.parametrize(
        ("attempt", "document_", "over"),
        [
            (None, {}, False),
            (Attempt(NOW - 5 * MINUTE + SECOND, NOW, "Throttled"), {}, False),
            (Attempt(NOW - 5 * MINUTE, NOW, "Throttled"), {}, True),
            (Attempt(NOW, NOW, "Forbidden", hopeless=True), {}, True),
            (Attempt(NOW, NOW, "Throttled"), {"impatient": True}, True),
            (None, {"impatient": True}, False),
        ],
    )
    def test_after_five_minutes_or_at_once_if_nobody_wants_to_wait(
        self, attempt: Attempt | None, document_: Any, over: bool
    ) -> None:
        attempts = {A: attempt} if attempt else {}
        f = responding(Phase.PUBLISH, SHOWN, op={"attempts": attempts})
        f = replace(f, emergencies=(document(**document_),))
        assert patience.given_up(f, SHOWN) is over
        assert patience.wanting(f) == (() if over else (SHOWN,))

    def test_any_emergency_may_be_the_impatient_or_forced_one(self) -> None:
        found = document(), document(id="e-2", impatient=True, forced=True)
        f = replace(responding(Phase.PUBLISH), emergencies=found)
        assert patience.is_impatient(f)
        assert patience.is_forced(f)
        assert not patience.is_impatient(responding(Phase.PUBLISH))
        assert not patience.is_forced(responding(Phase.PUBLISH))


class TestTriedNow:
    def tried(
        self,
        ago: timedelta,
        code: str = "Throttled",
        shown: Target = SHOWN,
        *,
        hopeless: bool = False,
    ) -> bool:
        attempt = Attempt(NOW - MINUTE, NOW - ago, code, hopeless=hopeless)
        op = {"attempts": {A: attempt}, "phase_since": NOW - 10 * SECOND}
        return patience.is_tried_now(responding(Phase.PUBLISH, shown, op=op), shown)

    def test_once_more_when_the_phase_begins_again(self) -> None:
        assert self.tried(11 * SECOND)
        assert not self.tried(4 * SECOND)

    def test_not_with_a_foreign_value(self) -> None:
        assert not self.tried(11 * SECOND, shown=target("a", Key("d" * 32)))

    @pytest.mark.parametrize("hopeless", [False, True])
    def test_at_once_when_a_foreign_value_turns_out_to_be_ours(self, hopeless: bool) -> None:
        """A key that somebody revoked may be accepted for a while, as another account's would."""
        assert self.tried(SECOND, "foreign-value", hopeless=hopeless)
        assert not self.tried(SECOND, "Forbidden", hopeless=True)


class TestCounted:
    """The record remembers since when a secret is in the way."""

    def counted(self, shown: Target, before: Attempt | None = None, **more: Any) -> Facts:
        op = {"attempts": {A: before} if before else {}, **more.pop("op", {})}
        f = replace(responding(Phase.PUBLISH, shown, target("b", KEYS.key2), op=op), **more)
        return patience.counted(f)

    def attempt(self, *args: Any, **more: Any) -> Attempt | None:
        return self.counted(*args, **more).operation.attempts.get(A)

    def test_one_that_only_lacks_the_key_is_not(self) -> None:
        assert self.attempt(SHOWN) is None

    @pytest.mark.parametrize(
        ("error", "code", "hopeless"),
        [
            (Permanent("no", code="Forbidden", remedy="x"), "Forbidden", True),
            (Transient("later", code="Throttled"), "Throttled", False),
            (None, "Unreadable", False),
        ],
    )
    def test_one_that_cannot_be_read(self, error: Any, code: str, hopeless: bool) -> None:
        hidden = target("a", None, readable=False)
        errors = {hidden.id: error} if error else {}
        found = self.attempt(hidden, read_errors=errors)
        assert found == Attempt(NOW, NOW, code, hopeless=hopeless)

    def test_the_first_failure_stays(self) -> None:
        first = Attempt(NOW - HOUR, NOW - HOUR, "Throttled")
        assert self.attempt(target("a", None, readable=False), first) == first

    @pytest.mark.parametrize(
        ("answer", "hopeless"),
        [(ProbeResult.ACCEPTED, True), (ProbeResult.INCONCLUSIVE, False)],
    )
    def test_a_foreign_value_is_hopeless_once_a_probe_has_told(
        self, answer: ProbeResult, hopeless: bool
    ) -> None:
        value = Key("d" * 32)
        shown = target("a", value)
        f = responding(Phase.PUBLISH, shown)
        known = {**f.verdicts, value: ProbeVerdict(answer)}
        first = Attempt(NOW - HOUR, NOW - HOUR, "foreign-value")
        found = self.attempt(shown, first, verdicts=known)
        assert found == Attempt(NOW - HOUR, NOW, "foreign-value", hopeless=hopeless)
        again = self.attempt(shown, verdicts=known)
        assert again is not None
        assert again.since == NOW

    def test_a_probe_that_accepts_every_key_has_told_nothing(self) -> None:
        value = Key("d" * 32)
        shown = target("a", value)
        accepted = ProbeVerdict(ProbeResult.ACCEPTED)
        found = self.attempt(shown, verdicts={value: accepted}, control=accepted)
        assert found is not None
        assert not found.hopeless

    def test_one_whose_vault_is_not_known_to_be_bound_is_not_hopeless(self) -> None:
        shown = target("a", OLD)
        found = self.attempt(shown, undecided=(shown,), verdicts={}, control=None)
        assert found == Attempt(NOW, NOW, "foreign-value")

    def test_a_disabled_version_that_nobody_read_is_hopeless(self) -> None:
        found = self.attempt(target("a", None, version="v9"))
        assert found is not None
        assert (found.since, found.at, found.hopeless) == (NOW, NOW, True)

    @pytest.mark.parametrize(("count", "hopeless"), [(1, False), (2, True)])
    def test_an_overwritten_one_is_hopeless_after_three_times(
        self, count: int, hopeless: bool
    ) -> None:
        before = Attempt(NOW - HOUR, NOW - HOUR, "another-writer", count=count)
        puts = {A: PublishedVersion("v0", NOW - HOUR), "kept": PublishedVersion("v0", NOW)}
        f = self.counted(SHOWN, before, op={"puts": puts})
        found = f.operation.attempts[A]
        assert (found.since, found.at) == (NOW - HOUR, NOW - 5 * SECOND)
        assert (found.code, found.count, found.hopeless) == ("another-writer", count + 1, hopeless)
        assert list(f.operation.puts) == ["kept"]

    def test_the_first_overwrite_begins_the_count(self) -> None:
        puts = {A: PublishedVersion("v0", NOW - HOUR)}
        found = self.attempt(SHOWN, op={"puts": puts})
        assert found == Attempt(NOW, NOW - 5 * SECOND, "another-writer")


class TestUnseen:
    @pytest.mark.parametrize(
        ("of", "created", "tries", "unseen"),
        [
            ("v0", NOW, 4, True),
            ("v0", NOW, 5, False),
            ("v1", NOW, 4, False),
            ("v0", NOW - SECOND, 4, True),
            ("v0", NOW + SECOND, 4, False),
        ],
    )
    def test_a_version_that_is_not_newer_than_ours_may_be_the_former_one(
        self, of: str, created: Any, tries: int, unseen: bool
    ) -> None:
        shown = target("a", version=of, created=created)
        op = {"puts": {A: PublishedVersion("v1", NOW)}, "tries": tries}
        f = responding(Phase.PUBLISH, shown, target("b"), op=op)
        assert patience.is_unseen(f, (shown, target("b"))) is unseen

    def test_a_secret_to_which_we_did_not_publish_is_not_waited_for(self) -> None:
        assert not patience.is_unseen(responding(Phase.PUBLISH), (SHOWN,))


def test_a_leaked_value_may_always_be_overwritten() -> None:
    shown = target("a", OLD)
    f = replace(responding(Phase.PUBLISH, shown), verdicts={})
    assert patience.is_ours(f, shown) is None
    assert patience.is_ours(replace(f, emergencies=(document(OLD),)), shown)
