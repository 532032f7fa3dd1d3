"""The classification of accounts, over plain data."""

from __future__ import annotations

from rotation.domain.account import Account
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.ops.management import EnrolledSecret, ManagementState, classify

ID = AccountId.parse(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/ai-1"
)
ACCOUNT = Account(ID, "OpenAI", "https://ai-1.openai.azure.com")
TARGET = TargetId("https://kv.vault.azure.net", "ai-1-key")


class TestClassify:
    def test_an_account_with_only_the_samples_tags_is_a_sample(self) -> None:
        found = classify(ID, ACCOUNT, [EnrolledSecret(TARGET, Slot.KEY1)])
        assert (found.state, found.needs_attention) == (ManagementState.SAMPLE, False)

    def test_an_account_that_was_rotated_here_is_managed(self) -> None:
        found = classify(ID, ACCOUNT, [EnrolledSecret(TARGET, Slot.KEY1, published=True)])
        assert (found.state, found.remarks) == (ManagementState.MANAGED, ())

    def test_a_secret_that_holds_neither_key_needs_attention(self) -> None:
        found = classify(ID, ACCOUNT, [EnrolledSecret(TARGET, published=True)])
        assert found.needs_attention
        assert "holds neither key" in found.remarks[0]

    def test_an_unreadable_secret_does_not_count_as_broken(self) -> None:
        found = classify(ID, ACCOUNT, [EnrolledSecret(TARGET, published=True, unreadable="403")])
        assert not found.needs_attention
        assert "403" in found.remarks[0]

    def test_secrets_with_different_keys_get_a_remark(self) -> None:
        second = TargetId(TARGET.vault, "second")
        secrets = [EnrolledSecret(TARGET, Slot.KEY1, True), EnrolledSecret(second, Slot.KEY2, True)]
        assert any("different keys" in remark for remark in classify(ID, ACCOUNT, secrets).remarks)

    def test_an_account_that_is_not_visible_needs_attention(self) -> None:
        found = classify(ID, None, [EnrolledSecret(TARGET, Slot.KEY1)])
        assert (found.state, found.needs_attention) == (ManagementState.UNSEEN, True)
