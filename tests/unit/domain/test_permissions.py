"""Azure's grants, with wildcards and exceptions."""

from __future__ import annotations

from rotation.domain.permissions import Grant, missing


def test_an_exception_takes_away_only_from_its_own_grant() -> None:
    wide = Grant(actions=("Microsoft.CognitiveServices/*",), not_actions=("*/regenerateKey/*",))
    wanted = ["Microsoft.CognitiveServices/accounts/regenerateKey/action"]
    assert missing([wide], wanted) == wanted
    assert missing([wide, Grant(actions=("*",))], wanted) == []


def test_a_grant_allows_no_more_than_its_actions() -> None:
    read = Grant(actions=("*/read",), data_actions=("*/secrets/read",))
    assert missing([read], ["accounts/read", "accounts/write"]) == ["accounts/write"]
    wanted = ["vaults/secrets/read", "vaults/keys/read"]
    assert missing([read], wanted, data=True) == ["vaults/keys/read"]


def test_an_exception_takes_data_actions_away_too() -> None:
    grant = Grant(data_actions=("vaults/*",), not_data_actions=("vaults/secrets/*",))
    wanted = ["vaults/secrets/read", "vaults/keys/read"]
    assert missing([grant], wanted, data=True) == ["vaults/secrets/read"]


def test_grants_that_arrive_one_by_one_are_asked_for_each_action() -> None:
    grants = iter([Grant(actions=("read",)), Grant(actions=("write",))])
    assert missing(grants, ["write", "read"]) == []


def test_actions_ignore_case_and_do_not_grant_data_actions() -> None:
    grant = Grant(actions=("MICROSOFT.keyvault/VAULTS/*",))
    wanted = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]
    assert missing([grant], wanted) == []
    assert missing([grant], wanted, data=True) == wanted
