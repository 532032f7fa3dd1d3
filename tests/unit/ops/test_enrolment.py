"""What enrolling an account would do, and how accounts stand; decided over plain data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain import tags
from rotation.domain.model import Account, AccountId, Key, Keys, Slot, TargetId
from rotation.domain.permissions import Grant, missing
from rotation.domain.policy import Policy
from rotation.ops.enrolment import Will, Wish, decide
from rotation.ops.management import Holding, Standing, judged
from rotation.ports import Latest, Listed

ID = AccountId.parse(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/ai-1"
)
OTHER = AccountId.parse(str(ID).replace("ai-1", "ai-2"))
ACCOUNT = Account(ID, "OpenAI", "https://ai-1.openai.azure.com")
TARGET = TargetId("https://kv.vault.azure.net", "ai-1-key")
KEYS = Keys(Key("a" * 32), Key("b" * 32))
DAYS = timedelta(days=1)


def wish(**more: object) -> Wish:
    return Wish(**{"account": ACCOUNT, "target": TARGET, "validity": 90 * DAYS} | more)  # type: ignore[arg-type]


def latest(value: Key | None, **more: object) -> Latest:
    found = {"version": "v", "value": value, "expires": datetime(2027, 1, 1, tzinfo=UTC)}
    return Latest(**found | more)  # type: ignore[arg-type]


class TestEnrolling:
    def test_creates_from_the_key_that_a_person_named(self) -> None:
        plan = decide(wish(in_use=Slot.KEY2), KEYS, None, [], Policy())
        assert (plan.will, plan.slot) == (Will.CREATE, Slot.KEY2)
        enrolment = tags.read(plan.tags or {})
        assert enrolment
        assert (enrolment.account, enrolment.problems) == (ID, ())
        assert enrolment.claimed is Slot.KEY2

    def test_never_guesses_which_key_is_in_use(self) -> None:
        assert decide(wish(), KEYS, None, [], Policy()).will is Will.REFUSE

    def test_tags_a_secret_by_the_key_that_it_holds_and_keeps_what_is_there(self) -> None:
        plan = decide(wish(), KEYS, latest(KEYS.key2, tags={"team": "nlp"}), [], Policy())
        assert (plan.will, plan.slot, plan.version) == (Will.TAG, Slot.KEY2, "v")
        assert (plan.tags or {})["team"] == "nlp"

    def test_replaces_its_own_tags_in_whatever_spelling(self) -> None:
        found = latest(KEYS.key1, tags={"credentialid": "Key2", "VALIDITYPERIODDAYS": "5"})
        plan = decide(wish(), KEYS, found, [], Policy())
        assert {name.lower() for name in plan.tags or {}} == {
            name.lower()
            for name in ("ProviderAddress", "ValidityPeriodDays", "CredentialId", "RotationReason")
        }

    def test_says_where_a_missing_expiry_leads(self) -> None:
        plan = decide(wish(), KEYS, latest(KEYS.key1, expires=None), [], Policy())
        assert "the next sweep rotates it" in plan.why

    @pytest.mark.parametrize(
        ("asked", "found", "says"),
        [
            (wish(in_use=Slot.KEY1), latest(KEYS.key2), "find out what consumers use"),
            (wish(), latest(Key("c" * 32)), "holds neither key"),
            (wish(validity=30 * DAYS), latest(KEYS.key1), "too short"),
            (wish(validity=31 * DAYS), latest(KEYS.key1), "too short"),
            (
                wish(),
                latest(KEYS.key1, tags={"ProviderAddress": str(OTHER)}),
                "enrolled for ai-2",
            ),
            (
                wish(),
                latest(KEYS.key1, tags={f"t{number}": "x" for number in range(14)}),
                "tags",
            ),
        ],
    )
    def test_refuses_what_could_cost_a_key(self, asked: Wish, found: Latest, says: str) -> None:
        plan = decide(asked, KEYS, found, [], Policy())
        assert plan.will is Will.REFUSE
        assert says in plan.why

    def test_an_account_has_one_secret_unless_a_second_is_meant(self) -> None:
        there = [Listed(TargetId(TARGET.vault, "another"), ID)]
        assert decide(wish(in_use=Slot.KEY1), KEYS, None, there, Policy()).will is Will.NOTHING
        shared = wish(in_use=Slot.KEY1, shared=True)
        assert decide(shared, KEYS, None, there, Policy()).will is Will.CREATE

    def test_a_second_time_does_nothing(self) -> None:
        there = [Listed(TARGET, ID)]
        assert decide(wish(), KEYS, latest(KEYS.key1), there, Policy()).will is Will.NOTHING


class TestStanding:
    def test_an_account_with_the_samples_tags_only_is_the_samples(self) -> None:
        found = judged(ID, ACCOUNT, [Holding(TARGET, Slot.KEY1)])
        assert (found.standing, found.wrong) == (Standing.SAMPLE, False)

    def test_what_was_rotated_here_is_managed(self) -> None:
        found = judged(ID, ACCOUNT, [Holding(TARGET, Slot.KEY1, ours=True)])
        assert (found.standing, found.remarks) == (Standing.MANAGED, ())

    def test_a_secret_with_a_dead_key_is_wrong_and_said(self) -> None:
        found = judged(ID, ACCOUNT, [Holding(TARGET, ours=True)])
        assert found.wrong
        assert "holds neither key" in found.remarks[0]

    def test_what_could_not_be_read_is_not_called_dead(self) -> None:
        found = judged(ID, ACCOUNT, [Holding(TARGET, ours=True, unread="403")])
        assert not found.wrong
        assert "403" in found.remarks[0]

    def test_two_secrets_with_different_keys_are_told_apart(self) -> None:
        second = TargetId(TARGET.vault, "second")
        held = [Holding(TARGET, Slot.KEY1, True), Holding(second, Slot.KEY2, True)]
        assert any("different keys" in remark for remark in judged(ID, ACCOUNT, held).remarks)

    def test_an_account_that_nobody_can_see_is_wrong(self) -> None:
        found = judged(ID, None, [Holding(TARGET, Slot.KEY1)])
        assert (found.standing, found.wrong) == (Standing.UNSEEN, True)


class TestRights:
    def test_a_wildcard_grants_and_an_exception_takes_from_its_own_grant_only(self) -> None:
        wide = Grant(actions=("Microsoft.CognitiveServices/*",), not_actions=("*/regenerateKey/*",))
        wanted = ["Microsoft.CognitiveServices/accounts/regenerateKey/action"]
        assert missing([wide], wanted) == wanted
        assert missing([wide, Grant(actions=("*",))], wanted) == []

    def test_actions_compare_without_case_and_data_actions_are_apart(self) -> None:
        grant = Grant(actions=("MICROSOFT.keyvault/VAULTS/*",))
        wanted = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]
        assert missing([grant], wanted) == []
        assert missing([grant], wanted, data=True) == wanted
