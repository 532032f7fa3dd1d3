"""Enrolment by tags: Microsoft's sample's three, our own optional ones, every problem named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain import tags
from rotation.domain.keys import Slot

ACCOUNT = (
    "/subscriptions/1111/resourceGroups/rg-keys"
    "/providers/Microsoft.CognitiveServices/accounts/aoai-demo"
)
SAMPLE = {"ProviderAddress": ACCOUNT, "ValidityPeriodDays": "90", "CredentialId": "key2"}


def test_a_secret_enrolled_for_microsofts_sample_is_enrolled_here() -> None:
    enrolment = tags.read(SAMPLE)
    assert enrolment is not None
    assert enrolment.account.name == "aoai-demo"
    assert enrolment.validity == timedelta(days=90)
    assert enrolment.claimed is Slot.KEY2
    assert enrolment.problems == ()


def test_the_services_own_tags_are_optional_and_case_insensitive() -> None:
    enrolment = tags.read(
        SAMPLE
        | {
            "rotationoverlap": "P2D",
            "ROTATIONMINIMUMINTERVAL": "PT12H",
            "RotationWindow": "Sat,Sun 01:00-05:00 Europe/Berlin",
            "RotationPaused": "true",
        }
    )
    assert enrolment is not None
    assert enrolment.overlap == timedelta(days=2)
    assert enrolment.minimum_interval == timedelta(hours=12)
    assert enrolment.window is not None
    assert enrolment.paused


@pytest.mark.parametrize(
    ("tag", "value", "says"),
    [
        ("ValidityPeriodDays", "soon", "whole number of days"),
        ("ValidityPeriodDays", "-3", "whole number of days"),
        ("CredentialId", "key3", "must be Key1 or Key2"),
        ("RotationOverlap", "2 days", "P2D"),
        ("RotationOverlap", "P1M", "P2D"),
        ("RotationWindow", "at night", "Mon-Fri"),
        ("RotationWindow", "* 01:00-02:00 Mars/Base", "time zone"),
        ("RotationPaused", "perhaps", "must be true or false"),
    ],
)
def test_an_invalid_tag_is_named_with_its_remedy(tag: str, value: str, says: str) -> None:
    enrolment = tags.read(SAMPLE | {tag: value})
    assert enrolment is not None
    (problem,) = enrolment.problems
    assert tag in problem
    assert says in problem


@pytest.mark.parametrize("days", ["3651", "0000019999999999", "9" * 512])
def test_a_validity_that_is_too_long_counts_as_the_longest_and_is_shown(days: str) -> None:
    enrolment = tags.read(SAMPLE | {"ValidityPeriodDays": days})
    assert enrolment is not None
    assert enrolment.validity == timedelta(days=3650)
    (problem,) = enrolment.problems
    assert "counts as 3650 days" in problem


@pytest.mark.parametrize("tag", ["RotationOverlap", "RotationMinimumInterval"])
def test_so_does_any_other_duration(tag: str) -> None:
    enrolment = tags.read(SAMPLE | {tag: "P999999999D"})
    assert enrolment is not None
    assert timedelta(days=3650) in (enrolment.overlap, enrolment.minimum_interval)
    (problem,) = enrolment.problems
    assert tag in problem


def test_a_key_pasted_into_a_tag_is_not_repeated() -> None:
    key = "0123456789abcdef" * 2
    enrolment = tags.read(SAMPLE | {"ValidityPeriodDays": key})
    assert enrolment is not None
    assert key not in enrolment.problems[0]
    with pytest.raises(ValueError, match="resource id") as caught:
        tags.enrolled({"ProviderAddress": key})
    assert key not in str(caught.value)


def test_every_problem_is_named_at_once() -> None:
    enrolment = tags.read(SAMPLE | {"ValidityPeriodDays": "x", "RotationOverlap": "y"})
    assert enrolment is not None
    assert len(enrolment.problems) == 2


def test_a_missing_validity_is_a_problem_and_not_a_default() -> None:
    enrolment = tags.read({"ProviderAddress": ACCOUNT})
    assert enrolment is not None
    assert "ValidityPeriodDays is missing" in enrolment.problems[0]


def test_a_secret_without_an_address_is_not_enrolled() -> None:
    assert tags.read({"owner": "me"}) is None


def test_another_providers_secret_belongs_to_another_rotation() -> None:
    storage = "/subscriptions/1/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/s"
    assert tags.read(SAMPLE | {"ProviderAddress": storage}) is None


def test_an_invalid_address_shows_the_correct_form() -> None:
    with pytest.raises(ValueError, match=r"ProviderAddress.*resource id"):
        tags.enrolled({"ProviderAddress": "aoai-demo"})


def test_fifteen_tags_are_counted_before_anything_irreversible() -> None:
    room_for = tags.MAX_TAGS - len(tags.WRITTEN)
    users = {f"own-{i}": "x" for i in range(room_for - 2)}
    fits = tags.read(SAMPLE | users)
    full = tags.read(SAMPLE | users | {"one-more": "x"})
    assert fits is not None
    assert fits.problems == ()
    assert full is not None
    assert "no room; keep at most 11" in full.problems[0]


def test_a_new_version_keeps_the_users_tags_and_gets_ours() -> None:
    at = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
    written = tags.written(SAMPLE | {"team": "blue"}, Slot.KEY1, "op-1", at, "because " * 40)
    assert written["team"] == "blue"
    assert written["ProviderAddress"] == ACCOUNT
    assert written["CredentialId"] == "Key1"
    assert written["RotationId"] == "op-1"
    assert written["RotatedAt"] == "2026-11-23T01:02:03Z"
    assert len(written["RotationReason"]) <= 128


def test_without_room_for_all_tags_the_most_important_ones_are_written() -> None:
    users = {f"own-{i}": "x" for i in range(13)}
    written = tags.written(users, Slot.KEY1, "op-1", datetime(2026, 11, 23, tzinfo=UTC), "r")
    assert len(written) == tags.MAX_TAGS
    assert set(written) - set(users) == {"CredentialId", "RotationId"}


def test_a_differently_spelt_tag_is_replaced_not_doubled() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    written = tags.written({"credentialid": "key2"}, Slot.KEY1, "op-1", at, "r")
    assert [name for name in written if name.lower() == "credentialid"] == ["CredentialId"]


@given(st.dictionaries(st.sampled_from(tags.READ), st.text(max_size=40)))
def test_arbitrary_input_gives_named_problems_and_never_an_exception(junk: dict[str, str]) -> None:
    enrolment = tags.read(junk | {"ProviderAddress": ACCOUNT})
    assert enrolment is not None
    for problem in enrolment.problems:
        assert problem.startswith("tag ")


USERS = st.dictionaries(
    st.text("abcdefghijk-", min_size=1, max_size=12), st.text(max_size=40), max_size=8
)


@given(USERS, st.sampled_from(list(Slot)), st.text("0123456789abcdef-", min_size=1, max_size=40))
def test_a_written_secret_reads_back_and_keeps_the_users_tags(
    users: dict[str, str], slot: Slot, rotation: str
) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    written = tags.written(SAMPLE | users, slot, rotation, at, "because")
    enrolment = tags.read(written)
    assert enrolment is not None
    assert (enrolment.claimed, enrolment.rotation) == (slot, rotation)
    assert enrolment.problems == ()
    assert {name: written[name] for name in users} == users
    assert tags.written(written, slot, rotation, at, "because") == written


AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("0", 0),
        ("000", 0),
        ("1", 1),
        ("0090", 90),
        ("3650", 3650),
        ("9999", 3650),
        ("10000", 3650),
    ],
)
def test_a_validity_is_a_whole_number_of_days_up_to_the_longest(days: str, expected: int) -> None:
    enrolment = tags.read(SAMPLE | {"ValidityPeriodDays": days})
    assert enrolment is not None
    assert enrolment.validity == timedelta(days=expected)
    assert bool(enrolment.problems) is (int(days) > 3650)


@pytest.mark.parametrize("days", ["1.5", "+1", "٣", "²", "1 0"])
def test_any_other_validity_is_a_problem(days: str) -> None:
    enrolment = tags.read(SAMPLE | {"ValidityPeriodDays": days})
    assert enrolment is not None
    assert enrolment.validity is None
    (problem,) = enrolment.problems
    assert problem.startswith("tag ValidityPeriodDays: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("YES", True),
        ("1", True),
        ("false", False),
        ("No", False),
        ("0", False),
    ],
)
def test_a_pause_is_yes_or_no(text: str, expected: bool) -> None:
    enrolment = tags.read(SAMPLE | {"RotationPaused": text})
    assert enrolment is not None
    assert (enrolment.paused, enrolment.problems) == (expected, ())


def test_every_tag_is_read_into_its_own_place() -> None:
    enrolment = tags.read({"provideraddress": f" {ACCOUNT} ", " validityperioddays ": "7"})
    assert enrolment is not None
    assert (enrolment.account.name, enrolment.validity) == ("aoai-demo", timedelta(days=7))
    assert (enrolment.claimed, enrolment.overlap, enrolment.minimum_interval) == (None, None, None)
    assert (enrolment.window, enrolment.paused, enrolment.rotation) == (None, False, None)
    found = tags.read(
        SAMPLE
        | {
            "CredentialId": "KEY1",
            "RotationOverlap": "PT2H",
            "RotationMinimumInterval": "PT3H",
            "RotationWindow": "Mon 01:00-02:00",
            "rotationid": "op-1",
        }
    )
    assert found is not None
    assert (found.claimed, found.overlap) == (Slot.KEY1, timedelta(hours=2))
    assert (found.minimum_interval, found.rotation) == (timedelta(hours=3), "op-1")
    assert found.window is not None
    assert found.window.days == {0}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (None, None),
        (" ", None),
        ("x", None),
        (ACCOUNT, "aoai-demo"),
        (ACCOUNT.replace("CognitiveServices", "Storage"), None),
        ("/providers/Microsoft.CognitiveServices/x", None),
    ],
)
def test_the_account_of_a_secret_is_that_of_a_valid_address(
    address: str | None, name: str | None
) -> None:
    found = tags.account_of({} if address is None else {"providerADDRESS": address})
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0123456789abcdef-1", "0123456789abcdef"),
        ("0123456789abcdef", "0123456789abcdef"),
        ("0123456789abcde-1", None),
        ("0123456789abcdef0-1", None),
        ("0123456789abcde_-1", None),
        ("0123456789abcdeé-1", None),
        ("", None),
    ],
)
def test_the_operation_in_a_version_tells_the_account(text: str, expected: str | None) -> None:
    assert tags.rotated_by({"ROTATIONID": text}) == expected
    assert tags.rotated_by({}) is None


@pytest.mark.parametrize(
    ("wanted", "explicit", "expected"),
    [
        (True, False, {"RotationPaused": "true"}),
        (True, True, {"RotationPaused": "true"}),
        (False, False, {}),
        (False, True, {"RotationPaused": "false"}),
    ],
)
def test_a_pause_replaces_the_tag_in_any_spelling(
    wanted: bool, explicit: bool, expected: dict[str, str]
) -> None:
    found = tags.paused({"rotationPAUSED": "x", "own": "y"}, wanted, explicit=explicit)
    assert found == {"own": "y"} | expected


@pytest.mark.parametrize(
    ("own", "written"),
    [(11, 4), (12, 3), (14, 1), (15, 0), (16, 0)],
)
def test_no_more_tags_are_written_than_fit(own: int, written: int) -> None:
    users = {f"own-{i}": "x" for i in range(own)}
    found = tags.written(users, Slot.KEY1, "op-1", AT, "r")
    assert [name for name in found if name not in users] == [
        "CredentialId",
        "RotationId",
        "RotatedAt",
        "RotationReason",
    ][:written]


def test_a_reason_is_cut_to_128_characters() -> None:
    found = tags.written({}, Slot.KEY1, "op-1", AT, "a" * 127 + "bc")
    assert found["RotationReason"] == "a" * 127 + "b"


@pytest.mark.parametrize(
    ("own", "problems"),
    [
        ({"a" * 512: "b" * 512}, 0),
        ({"a" * 513: ""}, 1),
        ({"a": "b" * 513}, 1),
        ({"a": "b" * 513, "c": "d" * 513}, 2),
    ],
)
def test_a_tag_that_key_vault_refuses_is_a_problem(own: dict[str, str], problems: int) -> None:
    enrolment = tags.read(SAMPLE | own)
    assert enrolment is not None
    assert len(enrolment.problems) == problems


def test_the_tags_that_a_rotation_writes_are_not_the_users() -> None:
    users = {f"own-{i}": "x" for i in range(8)}
    full = tags.read(tags.written(SAMPLE | users, Slot.KEY1, "op-1", AT, "r" * 600))
    assert full is not None
    assert full.problems == ()
    assert not {"credentialid", "provideraddress", "validityperioddays"} & tags.OWN
    assert {"rotationid", "rotationpaused"} <= tags.OWN
