"""Names that commands take."""

from __future__ import annotations

import pytest

from rotation.cli.arguments import SecretArgument, parse_slot, selection
from rotation.cli.exit_status import CommandError, ExitStatus
from rotation.domain.keys import Slot

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


@pytest.mark.parametrize(
    "text",
    [
        "my-vault/my-key",
        "https://my-vault.vault.azure.net/secrets/my-key",
        f"https://my-vault.vault.azure.cn/secrets/my-key/{'0' * 32}",
        " my-vault/my-key/ ",
    ],
)
def test_a_secret_is_a_vault_and_a_name_or_a_url(text: str) -> None:
    assert SecretArgument.parse(text).path == "secrets/my-vault/my-key"


def test_exactly_one_selection_is_required() -> None:
    assert selection("", "", everything=True) == {"all": True}
    assert selection("", "kv", everything=False) == {"vault": "kv"}
    assert selection("kv/a", "", everything=False) == {"vault": "kv", "secret": "a"}
    assert selection(ACCOUNT, "", everything=False) == {"account": ACCOUNT}
    for what, everything in (("", False), ("kv/a", True)):
        with pytest.raises(CommandError) as caught:
            selection(what, "", everything)
        assert caught.value.status == ExitStatus.USAGE


def test_a_key_slot_ignores_case() -> None:
    assert parse_slot("KEY2") is Slot.KEY2
    assert parse_slot("") is None
    with pytest.raises(CommandError):
        parse_slot("key3")
