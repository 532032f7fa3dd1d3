"""Resource ids: names that could leave their place in a URL are refused."""

from __future__ import annotations

import hashlib

import pytest

from rotation.domain import bindings
from rotation.domain.ids import AccountId, TargetId, target_id

VAULT = "https://kv-a.vault.azure.net"
BAD = ("..", ".", "a/..", "a\nb", "a\r", "\x00", "a\x1fb", "a%2f..", "a?b", "a#b", "a b", "a.", "")


def account(subscription: str = "s-1", group: str = "rg", name: str = "acct") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.CognitiveServices/accounts/{name}"
    )


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("part", ["subscription", "group"])
def test_a_bad_subscription_or_group_is_refused(part: str, bad: str) -> None:
    text = account(**{part: bad})
    with pytest.raises(ValueError, match="is not the resource id"):
        AccountId.parse(text)
    with pytest.raises(ValueError, match="is not the resource id"):
        bindings.parse(f"kv-a={text}", (VAULT,))


@pytest.mark.parametrize("bad", ["..", "a/..", "a\nb", "\x00", "a?b"])
def test_a_bad_account_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="is not the resource id"):
        AccountId.parse(account(name=bad))


@pytest.mark.parametrize("group", ["rg", "RG_1", "rg.x-(y)", "größe"])
def test_every_name_that_azure_allows_is_read(group: str) -> None:
    assert AccountId.parse(account(group=group)).resource_group == group.lower()
    (entry,) = bindings.parse(f"kv-a={account(group=group)}", (VAULT,))
    assert entry.scope == account(group=group).lower()


def test_an_account_has_a_short_and_stable_name_in_any_case() -> None:
    found = AccountId.parse(account())
    assert found.slug == AccountId.parse(account().upper()).slug
    assert found.slug == hashlib.sha256(str(found).encode()).hexdigest()[:16]
    assert found.slug != AccountId.parse(account(name="other")).slug


def test_the_id_of_a_secret_reads_back() -> None:
    target = TargetId(VAULT, "key")
    assert target_id(str(target)) == target
