"""Plans of enrolments, decided over plain data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain import tags
from rotation.domain.account import Account
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key, Keys, Slot
from rotation.domain.targets import ListedSecret, SecretSnapshot
from rotation.ops.enrolment.plan import EnrolmentAction, EnrolmentRequest, decide

ID = AccountId.parse(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/ai-1"
)
OTHER = AccountId.parse(str(ID).replace("ai-1", "ai-2"))
ACCOUNT = Account(ID, "OpenAI", "https://ai-1.openai.azure.com")
TARGET = TargetId("https://kv.vault.azure.net", "ai-1-key")
KEYS = Keys(Key("a" * 32), Key("b" * 32))
DAYS = timedelta(days=1)


def request(**more: object) -> EnrolmentRequest:
    return EnrolmentRequest(**{"account": ACCOUNT, "target": TARGET, "validity": 90 * DAYS} | more)  # type: ignore[arg-type]


def latest(value: Key | None, **more: object) -> SecretSnapshot:
    made, expires = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    found = {"version": "v", "value": value, "created": made, "expires": expires}
    return SecretSnapshot(TARGET, **found | more)  # type: ignore[arg-type]


class TestDecide:
    def test_creates_a_secret_with_the_key_that_the_operator_named(self) -> None:
        plan = decide(request(in_use=Slot.KEY2), KEYS, None, [])
        assert (plan.action, plan.slot) == (EnrolmentAction.CREATE, Slot.KEY2)
        enrolment = tags.read(plan.tags or {})
        assert enrolment
        assert (enrolment.account, enrolment.problems) == (ID, ())
        assert enrolment.claimed is Slot.KEY2

    def test_refuses_to_guess_which_key_is_in_use(self) -> None:
        assert decide(request(), KEYS, None, []).action is EnrolmentAction.REFUSE

    def test_tags_an_existing_secret_with_the_key_that_it_holds_and_keeps_other_tags(self) -> None:
        plan = decide(request(), KEYS, latest(KEYS.key2, tags={"team": "nlp"}), [])
        assert (plan.action, plan.slot, plan.version) == (EnrolmentAction.TAG, Slot.KEY2, "v")
        assert (plan.tags or {})["team"] == "nlp"

    def test_replaces_the_services_own_tags_in_any_spelling(self) -> None:
        found = latest(KEYS.key1, tags={"credentialid": "Key2", "VALIDITYPERIODDAYS": "5"})
        plan = decide(request(), KEYS, found, [])
        assert {name.lower() for name in plan.tags or {}} == {
            name.lower()
            for name in ("ProviderAddress", "ValidityPeriodDays", "CredentialId", "RotationReason")
        }

    def test_warns_that_a_secret_without_expiry_is_rotated_by_the_next_sweep(self) -> None:
        plan = decide(request(), KEYS, latest(KEYS.key1, expires=None), [])
        assert "the next sweep will rotate it" in plan.why

    @pytest.mark.parametrize(
        ("asked", "found", "reason"),
        [
            (request(in_use=Slot.KEY1), latest(KEYS.key2), "find out which one consumers use"),
            (request(), latest(Key("c" * 32)), "holds neither key"),
            (request(validity=13 * DAYS), latest(KEYS.key1), "too short"),
            (
                request(),
                latest(KEYS.key1, tags={"ProviderAddress": str(OTHER)}),
                "enrolled for ai-2",
            ),
            (
                request(),
                latest(KEYS.key1, tags={f"t{number}": "x" for number in range(14)}),
                "tags",
            ),
        ],
    )
    def test_refuses_an_enrolment_that_could_break_a_consumer(
        self, asked: EnrolmentRequest, found: SecretSnapshot, reason: str
    ) -> None:
        plan = decide(asked, KEYS, found, [])
        assert plan.action is EnrolmentAction.REFUSE
        assert reason in plan.why

    def test_enrols_a_second_secret_only_if_the_operator_named_it(self) -> None:
        enrolled = [ListedSecret(TargetId(TARGET.vault, "another"), ID)]
        assert (
            decide(request(in_use=Slot.KEY1), KEYS, None, enrolled).action
            is EnrolmentAction.NOTHING
        )
        shared = request(in_use=Slot.KEY1, shared=True)
        assert decide(shared, KEYS, None, enrolled).action is EnrolmentAction.CREATE

    def test_enrolling_again_does_nothing(self) -> None:
        enrolled = [ListedSecret(TARGET, ID)]
        assert (
            decide(request(), KEYS, latest(KEYS.key1), enrolled).action is EnrolmentAction.NOTHING
        )
