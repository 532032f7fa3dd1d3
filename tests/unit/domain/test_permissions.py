"""Azure's grants, with wildcards and exceptions."""

from __future__ import annotations

from rotation.domain.permissions import Grant, missing


def test_an_exception_takes_away_only_from_its_own_grant() -> None:
    wide = Grant(actions=("Microsoft.CognitiveServices/*",), not_actions=("*/regenerateKey/*",))
    wanted = ["Microsoft.CognitiveServices/accounts/regenerateKey/action"]
    assert missing([wide], wanted) == wanted
    assert missing([wide, Grant(actions=("*",))], wanted) == []


def test_actions_ignore_case_and_do_not_grant_data_actions() -> None:
    grant = Grant(actions=("MICROSOFT.keyvault/VAULTS/*",))
    wanted = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]
    assert missing([grant], wanted) == []
    assert missing([grant], wanted, data=True) == wanted
