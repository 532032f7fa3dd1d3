"""Accounts whose consumers could go key-less."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from rotation.domain.account import Account
from rotation.domain.errors import Transient
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.targets import SecretRead
from rotation.ops.keyless import READ_WITHIN, Readers, assess

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ID = AccountId.parse(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/ai-1"
)
TARGET = TargetId("https://kv.vault.azure.net", "ai-1-key")
APP, SCANNER = "11111111-0000-0000-0000-00000000000a", "22222222-0000-0000-0000-00000000000B"


class Logs:
    """Audit logs with these readers, or a failure."""

    def __init__(self, *readers: str, failure: Exception | None = None) -> None:
        self._readers, self._failure = readers, failure

    async def readers(self, vault_url: str, secret: str, since: datetime) -> Sequence[SecretRead]:
        assert (vault_url, secret, since) == (TARGET.vault, TARGET.name, NOW - READ_WITHIN)
        if self._failure:
            raise self._failure
        return [SecretRead(one, None, NOW) for one in self._readers]


def account(kind: str = "OpenAI", endpoint: str = "https://ai-1.openai.azure.com") -> Account:
    return Account(ID, kind, endpoint)


def readers(logs: Logs | None) -> Readers:
    return Readers(logs, frozenset({SCANNER.lower()}), NOW)


async def test_names_each_reader_once_with_the_role_that_it_needs() -> None:
    found = await assess(account(), [TARGET], readers(Logs(APP, SCANNER, APP)))
    assert found is not None
    assert found.readers == (APP,)
    (command,) = found.commands()
    assert command == (
        f'az role assignment create --role "Cognitive Services OpenAI User" --assignee {APP} '
        f"--scope {ID}"
    )


async def test_a_name_with_brackets_and_an_odd_reader_are_quoted_for_the_shell() -> None:
    odd = AccountId.parse(str(ID).replace("/g/", "/g(1)/"))
    one = Account(odd, "OpenAI", "https://ai-1.openai.azure.com")
    found = await assess(one, [TARGET], readers(Logs("x; rm -rf /")))
    assert found is not None
    (command,) = found.commands()
    assert shlex.split(command)[-3:] == ["x; rm -rf /", "--scope", str(odd)]


async def test_a_reader_without_a_name_in_the_log_needs_a_person() -> None:
    found = await assess(account(), [TARGET], readers(Logs("unknown")))
    assert found is not None
    assert "--assignee IDENTITY" in found.commands()[0]


async def test_without_audit_logs_it_says_so() -> None:
    found = await assess(account(), [TARGET], readers(None))
    assert found is not None
    assert found.readers is None
    assert "ROTATION_LOGS_WORKSPACE" in found.problem
    assert "--assignee IDENTITY" in found.commands()[0]


async def test_logs_that_cannot_be_read_are_a_problem_and_not_an_empty_list() -> None:
    logs = Logs(failure=Transient("the workspace is down"))
    found = await assess(account(), [TARGET], readers(logs))
    assert found is not None
    assert (found.readers, found.problem) == (None, "the workspace is down")


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("OpenAI", "Cognitive Services OpenAI User"),
        ("SpeechServices", "Cognitive Services Speech User"),
        ("TextAnalytics", "Cognitive Services User"),
    ],
)
async def test_the_role_depends_on_the_kind(kind: str, role: str) -> None:
    found = await assess(account(kind), [TARGET], readers(None))
    assert found is not None
    assert found.role == role
    assert found.lists_keys == (role == "Cognitive Services User")


async def test_a_regional_endpoint_needs_a_subdomain_first() -> None:
    regional = account("TextAnalytics", "https://westeurope.api.cognitive.microsoft.com/")
    found = await assess(regional, [TARGET], readers(None))
    own = await assess(account(), [TARGET], readers(None))
    assert found is not None
    assert own is not None
    assert (found.needs_subdomain, own.needs_subdomain) == (True, False)


@pytest.mark.parametrize(
    ("one", "targets"),
    [
        (Account(ID, "OpenAI", "", local_auth_disabled=True), [TARGET]),
        (account("CustomVision.Prediction"), [TARGET]),
        (account(), []),
    ],
)
async def test_an_account_without_keys_in_use_or_with_keys_only_is_not_named(
    one: Account, targets: list[TargetId]
) -> None:
    assert await assess(one, targets, readers(None)) is None
