"""Admission, staying and leaving, decided from what was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rotation.decisions.membership import Context, Membership, settle, with_remarks
from rotation.domain.bindings import Bindings, parse
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.membership import Member
from rotation.domain.operation import Phase
from rotation.domain.policy import Policy
from rotation.domain.record import ObservedVersion, Record
from rotation.domain.targets import SecretSnapshot

NOW = datetime(2026, 11, 28, tzinfo=UTC)
VAULT = "https://kv-a.vault.azure.net"
ACCOUNT = AccountId("s1", "rg-a", "acct-a")
OTHER = AccountId("s1", "rg-a", "acct-b")
KEYS = Keys(Key("a" * 32), Key("b" * 32))
TARGET = TargetId(VAULT, "ai-key")
TAGS = {"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "90"}
GROUP = "kv-a=/subscriptions/s1/resourceGroups/rg-a"
BROAD = Bindings(parse(GROUP, (VAULT,)))
NAMED = Bindings(parse(f"kv-a={ACCOUNT}", (VAULT,)))
NOTHING = Bindings(())
CONTEXT = Context(Record(ACCOUNT, "salt"), NAMED, KEYS, NOW, timedelta(hours=26))


def secret(value: str | None = "a" * 32, **more: object) -> SecretSnapshot:
    key = None if value is None else Key(value)
    return replace(SecretSnapshot(TARGET, "v1", key, NOW, tags=TAGS), **more)  # type: ignore[arg-type]


def member(**more: object) -> Context:
    """Return a context whose record has the secret, as version v1 with the value of Key1."""
    record = Record(
        ACCOUNT,
        "salt",
        members={str(TARGET): Member(NOW - timedelta(days=9))},
        seen={str(TARGET): ObservedVersion("v1", KEYS.key1.fingerprint("salt"))},
    )
    return replace(CONTEXT, record=msgspec.structs.replace(record, **more))


def one(context: Context, found: SecretSnapshot) -> Membership:
    return settle(context, [found])


def young(**more: object) -> Context:
    """Return a context whose record began an hour ago."""
    members = {"began_at": NOW - timedelta(hours=1)} | more
    return replace(CONTEXT, record=msgspec.structs.replace(CONTEXT.record, **members))


class TestAdmission:
    def test_a_bound_secret_with_our_tags_is_admitted(self) -> None:
        found = one(CONTEXT, secret())
        assert [t.id for t in found.targets] == [TARGET]
        assert found.admitted == [TARGET]
        assert found.members[str(TARGET)] == Member(NOW, expires=None)

    def test_a_secret_without_our_tags_is_not_admitted(self) -> None:
        assert one(CONTEXT, secret(tags={})) == Membership()

    def test_a_secret_that_names_another_account_is_not_admitted(self) -> None:
        found = one(CONTEXT, secret(tags=TAGS | {"ProviderAddress": str(OTHER)}))
        assert found == Membership()

    def test_an_unbound_secret_is_not_admitted_even_if_it_shows_a_key(self) -> None:
        found = one(replace(CONTEXT, bindings=NOTHING), secret())
        assert not found.targets
        assert not found.members
        assert "ai-key" in found.notes[str(TARGET)]
        assert "acct-a" in found.notes[str(TARGET)]

    def test_no_secret_is_admitted_while_the_setting_is_invalid(self) -> None:
        found = one(replace(CONTEXT, bindings=replace(NAMED, admits=False)), secret())
        assert not found.members
        assert "ROTATION_BINDINGS" in found.notes[str(TARGET)]

    def test_no_secret_is_admitted_before_the_bindings_of_its_vault_are_frozen(self) -> None:
        assert not one(replace(CONTEXT, bindings=Bindings()), secret()).members

    def test_a_secret_whose_former_account_still_rotates_is_not_admitted(self) -> None:
        found = one(replace(CONTEXT, busy_elsewhere=frozenset({TARGET})), secret())
        assert not found.members
        assert "former account" in found.notes[str(TARGET)]

    @pytest.mark.parametrize(
        ("bindings", "value", "why"),
        [
            (Bindings(), "a" * 32, "not listed completely"),
            (BROAD, None, "is disabled"),
            (BROAD, "c" * 32, "does not show a current key"),
        ],
    )
    def test_a_secret_that_is_not_admitted_is_noted_with_the_reason(
        self, bindings: Bindings, value: str | None, why: str
    ) -> None:
        found = one(replace(CONTEXT, bindings=bindings), secret(value))
        assert why in found.notes[str(TARGET)]
        assert not found.admitted
        assert not found.targets

    @pytest.mark.parametrize(
        ("bindings", "value", "admitted"),
        [
            (BROAD, "a" * 32, True),
            (BROAD, "b" * 32, True),
            (BROAD, " " + "a" * 32 + "\n", True),
            (BROAD, "placeholder", False),
            (BROAD, "c" * 32, False),
            (BROAD, None, False),
            (NAMED, "placeholder", True),
            (NAMED, None, True),
        ],
    )
    def test_without_a_named_binding_only_a_secret_that_shows_a_key_is_admitted(
        self, bindings: Bindings, value: str | None, admitted: bool
    ) -> None:
        found = one(replace(CONTEXT, bindings=bindings), secret(value))
        assert (str(TARGET) in found.members) is admitted

    def test_a_member_records_that_it_was_admitted_for_showing_a_key(self) -> None:
        assert one(replace(CONTEXT, bindings=BROAD), secret()).members[str(TARGET)].shown
        assert not one(CONTEXT, secret()).members[str(TARGET)].shown

    def test_without_a_record_our_tags_on_an_earlier_version_are_enough(self) -> None:
        found = one(young(), secret(tags={"team": "blue"}, former_tags=TAGS))
        assert [t.id for t in found.targets] == [TARGET]
        assert found.targets[0].tags == TAGS | {"team": "blue"}

    def test_but_not_if_it_left(self) -> None:
        left = young(left=(str(TARGET),))
        assert not one(left, secret(tags={}, former_tags=TAGS)).members

    def test_nor_once_the_record_is_two_days_old(self) -> None:
        old = young(began_at=NOW - timedelta(hours=48))
        assert not one(old, secret(tags={}, former_tags=TAGS)).members

    def test_with_a_record_our_tags_on_an_earlier_version_are_not_enough(self) -> None:
        assert one(CONTEXT, secret(tags={}, former_tags=TAGS)) == Membership()


class TestStaying:
    def test_a_member_stays_with_the_time_of_its_admission(self) -> None:
        found = one(member(), secret())
        assert found.members[str(TARGET)].since == NOW - timedelta(days=9)
        assert not found.admitted

    def test_a_member_remembers_the_expiry_that_it_had_first(self) -> None:
        found = one(CONTEXT, secret(expires=NOW)).members
        assert found[str(TARGET)].expires == NOW
        later = replace(CONTEXT, record=msgspec.structs.replace(CONTEXT.record, members=found))
        edited = one(later, secret(expires=NOW + timedelta(days=1))).members
        assert edited[str(TARGET)].expires == NOW

    def test_a_secret_that_the_earlier_version_rotated_is_a_member(self) -> None:
        found = one(member(members={}), secret())
        assert found.members[str(TARGET)] == Member(NOW, expires=None)
        assert not found.admitted

    @pytest.mark.parametrize(
        ("bindings", "stays"),
        [
            (NAMED, True),
            (Bindings(single_vault=True), True),
            (Bindings(), True),
            (Bindings(frozen=((VAULT, frozenset()),)), False),
        ],
    )
    def test_unless_its_vault_was_listed_since_and_does_not_show_it(
        self, bindings: Bindings, stays: bool
    ) -> None:
        found = one(replace(member(members={}), bindings=bindings), secret())
        assert bool(found.targets) is stays
        assert not found.admitted

    def test_while_its_vault_is_undecided_it_is_a_target_but_not_yet_recorded(self) -> None:
        undecided = Bindings()
        found = one(replace(member(members={}), bindings=undecided), secret())
        assert [t.id for t in found.undecided] == [TARGET]
        assert not found.members
        known = one(replace(member(), bindings=undecided), secret())
        assert [t.id for t in known.undecided] == [TARGET]
        assert str(TARGET) in known.members

    def test_a_target_of_a_decided_vault_is_not_undecided(self) -> None:
        assert not one(member(), secret()).undecided

    def test_a_target_is_what_was_read(self) -> None:
        expires = NOW + timedelta(days=9)
        read = secret(version="v7", expires=expires, content_type="text/plain")
        (found,) = one(member(), read).targets
        assert (found.version, found.created, found.expires) == ("v7", NOW, expires)
        assert (found.content_type, found.tags, found.tagged) == ("text/plain", TAGS, True)
        assert found.enrolment.validity == timedelta(days=90)

    def test_without_tags_it_keeps_the_settings_of_the_version_before(self) -> None:
        former = TAGS | {"RotationPaused": "true", "team": "blue"}
        new = secret(version="v2", tags={"team": "red"}, former_tags=former)
        (found,) = one(member(), new).targets
        assert found.enrolment.paused
        assert found.tags == former | {"team": "red"}

    def test_with_tags_the_version_before_does_not_count(self) -> None:
        former = TAGS | {"RotationPaused": "true"}
        (found,) = one(member(), secret(former_tags=former)).targets
        assert not found.enrolment.paused
        assert found.tags == TAGS

    def test_an_address_that_is_not_valid_is_a_problem_of_its_secret(self) -> None:
        garbled = {"ProviderAddress": "/subscriptions/s1/nonsense"}
        (found,) = one(member(), secret(version="v2", tags=garbled)).targets
        assert "ProviderAddress" in found.enrolment.problems[0]

    def test_a_new_version_without_tags_changes_nothing(self) -> None:
        found = one(member(), secret(version="v2", tags={}, former_tags=TAGS))
        assert [(t.id, t.tagged, t.enrolment.account) for t in found.targets] == [
            (TARGET, False, ACCOUNT)
        ]
        assert found.members[str(TARGET)].leaves_at is None
        assert "no tags" in found.notes[str(TARGET)]

    def test_an_invalid_address_does_not_make_a_member_leave(self) -> None:
        garbled = {"ProviderAddress": "/providers/microsoft.cognitiveservices/nonsense"}
        found = one(member(), secret(tags=garbled, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at is None
        assert found.targets

    def test_a_move_waits_for_the_end_of_an_operation(self) -> None:
        moved = secret(tags=TAGS | {"ProviderAddress": str(OTHER)}, former_tags=TAGS)
        found = one(member(phase=Phase.OVERLAP), moved)
        assert [t.id for t in found.targets] == [TARGET]
        assert not found.left


class TestLeaving:
    def test_a_member_whose_address_was_removed_leaves_after_one_overlap(self) -> None:
        found = one(member(), secret(tags={}, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at == NOW + timedelta(hours=26)
        assert found.targets, "until then it is a target"
        assert "removed" in found.notes[str(TARGET)]

    def test_the_overlap_counts_from_when_the_address_was_first_missed(self) -> None:
        at = NOW + timedelta(hours=3)
        leaving = {str(TARGET): Member(NOW - timedelta(days=9), leaves_at=at)}
        found = one(member(members=leaving), secret(tags={}, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at == at

    @pytest.mark.parametrize("tag", ["provideraddress", " ProviderAddress "])
    def test_an_address_is_there_however_its_tag_is_written(self, tag: str) -> None:
        odd = {tag: "not an address"}
        found = one(member(), secret(tags=odd, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at is None

    def test_a_deleted_member_is_gone(self) -> None:
        gone = TargetId(VAULT, "gone")
        found = settle(member(), [secret()], deleted=[gone])
        assert found.left == [gone]
        assert [t.id for t in found.targets] == [TARGET]

    def test_a_new_version_without_an_address_does_not_make_a_member_leave(self) -> None:
        untagged = {str(TARGET): ObservedVersion("v1", "", tagged=False)}
        found = one(member(seen=untagged), secret(tags={}, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at is None

    def test_a_member_is_gone_after_that_overlap(self) -> None:
        leaving = {str(TARGET): Member(NOW - timedelta(days=9), leaves_at=NOW)}
        found = one(member(members=leaving), secret(tags={}, former_tags=TAGS))
        assert found.left == [TARGET]
        assert not found.members
        assert not found.targets

    def test_a_member_does_not_leave_during_an_operation(self) -> None:
        leaving = {str(TARGET): Member(NOW - timedelta(days=9), leaves_at=NOW)}
        context = member(members=leaving, phase=Phase.OVERLAP)
        assert one(context, secret(tags={}, former_tags=TAGS)).targets

    def test_a_member_does_not_leave_before_the_overlap_is_over(self) -> None:
        later = NOW + timedelta(seconds=1)
        leaving = {str(TARGET): Member(NOW - timedelta(days=9), leaves_at=later)}
        found = one(member(members=leaving), secret(tags={}, former_tags=TAGS))
        assert found.members[str(TARGET)].leaves_at == later

    def test_a_member_whose_address_comes_back_stays(self) -> None:
        leaving = {str(TARGET): Member(NOW - timedelta(days=9), leaves_at=NOW)}
        found = one(member(members=leaving), secret())
        assert found.members[str(TARGET)].leaves_at is None

    def test_another_accounts_address_is_a_move(self) -> None:
        found = one(member(), secret(tags=TAGS | {"ProviderAddress": str(OTHER)}))
        assert found.left == [TARGET]
        assert not found.members


class TestWithdrawal:
    def test_a_member_that_is_no_longer_bound_is_withdrawn_and_not_a_target(self) -> None:
        found = one(replace(member(), bindings=NOTHING), secret())
        assert [t.id for t in found.withdrawn] == [TARGET]
        assert not found.targets
        assert str(TARGET) in found.members

    def test_it_is_recorded_as_withdrawn_until_it_is_bound_again(self) -> None:
        found = one(replace(member(), bindings=NOTHING), secret())
        assert found.members[str(TARGET)].withdrawn
        assert "no longer bound to acct-a" in found.notes[str(TARGET)]
        again = {str(TARGET): Member(NOW, withdrawn=True, released=True)}
        found = one(member(members=again), secret())
        kept = found.members[str(TARGET)]
        assert (kept.withdrawn, kept.released) == (False, False)
        assert found.targets

    def test_the_release_of_a_person_lasts_as_long_as_the_withdrawal(self) -> None:
        released = {str(TARGET): Member(NOW, withdrawn=True, released=True)}
        found = one(replace(member(members=released), bindings=NOTHING), secret())
        assert found.members[str(TARGET)].released

    def test_a_withdrawn_value_that_is_not_a_key_is_only_withdrawn(self) -> None:
        found = one(replace(member(), bindings=NOTHING), secret("hunter2"))
        assert [t.id for t in found.withdrawn] == [TARGET]
        assert not found.foreign

    def test_an_undecided_vault_withdraws_nothing(self) -> None:
        assert one(replace(member(), bindings=Bindings()), secret()).targets


class TestForeignValues:
    @pytest.mark.parametrize("value", ["hunter2", "{}", "a" * 31, "a-b" + "a" * 29, ""])
    def test_a_value_without_the_shape_of_a_key_is_foreign(self, value: str) -> None:
        found = one(member(), secret(value))
        assert [t.id for t in found.foreign] == [TARGET]
        assert not found.targets
        assert str(TARGET) in found.members
        assert "not a key" in found.notes[str(TARGET)]

    @pytest.mark.parametrize("value", ["c" * 32, "c" * 84, "c" * 32 + "\n"])
    def test_a_tagged_value_with_the_shape_of_a_key_is_not_foreign(self, value: str) -> None:
        assert one(member(), secret(value)).targets

    def test_the_shape_is_also_that_of_the_accounts_own_keys(self) -> None:
        keys = Keys(Key("a" * 40 + "="), Key("b" * 40 + "="))
        assert one(replace(member(), keys=keys), secret("c" * 40 + "=")).targets
        assert one(replace(member(), keys=keys), secret("c" * 40 + "!")).foreign

    def test_without_our_tags_only_a_former_key_is_ours(self) -> None:
        former = Key("f" * 32).fingerprint("salt")
        untagged = {"version": "v2", "tags": {}, "former_tags": TAGS}
        assert one(member(former=(former,)), secret("f" * 32, **untagged)).targets
        assert one(member(former=(former,)), secret("e" * 32, **untagged)).foreign

    def test_a_foreign_version_stays_foreign_when_it_is_disabled(self) -> None:
        seen = {str(TARGET): ObservedVersion("v1", "", foreign=True)}
        assert one(member(seen=seen), secret(None)).foreign
        assert not one(member(seen=seen), secret(None, version="v2")).foreign

    def test_so_it_does_if_another_version_of_the_same_second_is_listed_as_the_latest(self) -> None:
        """Key Vault lists the versions of a disabled secret in no order."""
        read_at = NOW + timedelta(minutes=1)
        seen = {str(TARGET): ObservedVersion("v1", "", since=read_at, foreign=True)}
        assert one(member(seen=seen), secret(None, version="v0", created=NOW)).foreign
        later = secret(None, version="v2", created=read_at + timedelta(seconds=1))
        assert not one(member(seen=seen), later).foreign

    def test_a_current_key_with_blanks_around_it_is_ours(self) -> None:
        assert one(member(), secret(f" {KEYS[Slot.KEY1].reveal()} ")).targets


class TestRemarks:
    """A secret's own settings that do not count as given are noted beside what else is noted."""

    def remarks(self, **tags: str) -> dict[str, str]:
        found = one(member(), secret(tags=TAGS | tags))
        return dict(with_remarks({"x": "another"}, found.targets, Policy()))

    def test_without_any_the_notes_stay(self) -> None:
        assert self.remarks() == {"x": "another"}

    def test_all_of_a_secret_are_joined(self) -> None:
        found = self.remarks(RotationWindow="nonsense", RotationConsumers="nobody")
        assert found["x"] == "another"
        assert "RotationWindow" in found[str(TARGET)]
        assert "; RotationConsumers: no " in found[str(TARGET)]

    def test_they_follow_what_is_noted_already(self) -> None:
        (found,) = one(member(), secret(tags=TAGS | {"RotationConsumers": "nobody"})).targets
        notes = with_remarks({str(TARGET): "first"}, [found], Policy())
        assert notes[str(TARGET)].startswith("first; RotationConsumers: no ")
