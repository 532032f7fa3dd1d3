"""Bindings: who may receive which account's key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain import bindings
from rotation.domain.bindings import Bindings, Bound
from rotation.domain.ids import AccountId, TargetId

A = "https://kv-a.vault.azure.net"
B = "https://kv-b.vault.azure.net"
VAULTS = (A, B)
GROUP = "/subscriptions/s1/resourceGroups/rg-a"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/acct-a"


def account(group: str = "rg-a", name: str = "acct-a", subscription: str = "s1") -> AccountId:
    return AccountId(subscription, group, name)


def bound(text: str, vault: str = A, name: str = "key", of: AccountId | None = None) -> Bound:
    return Bindings(bindings.parse(text, VAULTS)).of(TargetId(vault, name), of or account())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"kv-a={GROUP}", Bound.BROAD),
        ("kv-a=/subscriptions/s1", Bound.BROAD),
        (f"KV-A={GROUP.upper()}/", Bound.BROAD),
        (f"{A}={GROUP}", Bound.BROAD),
        (f"kv-a.vault.azure.net={GROUP}", Bound.BROAD),
        (f"kv-a={ACCOUNT}", Bound.NAMED),
        (f"kv-a/k*={GROUP}", Bound.NAMED),
        (f"kv-a/key={GROUP}", Bound.NAMED),
        (f"{A}/secrets/key={GROUP}", Bound.NAMED),
        (f"kv-b={GROUP}", Bound.NONE),
        (f"kv-a/other={GROUP}", Bound.NONE),
        (f"kv-a/ke={GROUP}", Bound.NONE),
        ("kv-a=/subscriptions/s1/resourceGroups/rg", Bound.NONE),
        ("kv-a=/subscriptions/s", Bound.NONE),
        (f"kv-a={ACCOUNT}x", Bound.NONE),
        (f"kv-a={ACCOUNT[:-1]}", Bound.NONE),
        (f"kv-a=/subscriptions/s2,kv-a={GROUP}", Bound.BROAD),
        (f"kv-a={GROUP},kv-a={ACCOUNT}", Bound.NAMED),
    ],
)
def test_a_secret_is_bound_if_an_entry_covers_it_and_its_account(
    text: str, expected: Bound
) -> None:
    assert bound(text) is expected


@pytest.mark.parametrize(
    ("text", "vault", "expected"),
    [
        (f"kv-a/team-*={GROUP}", A, True),
        ("kv-a=/subscriptions/s1", "https://KV-A.vault.azure.net", True),
        ("kv-a=/subscriptions/s2", A, False),
        (f"kv-b={GROUP}", A, False),
    ],
)
def test_a_vault_may_hold_the_keys_of_the_accounts_that_an_entry_covers(
    text: str, vault: str, expected: bool
) -> None:
    assert Bindings(bindings.parse(text, VAULTS)).may_hold(vault, account()) is expected


def test_without_a_setting_a_vault_may_hold_what_was_frozen_or_is_undecided() -> None:
    pairs = frozenset({(TargetId(A, "key"), account())})
    found = Bindings(frozen=((A, pairs),))
    assert found.may_hold(A, account())
    assert not found.may_hold(A, account(name="other"))
    assert found.may_hold(B, account(name="other")), "it was not listed yet"
    assert Bindings(single_vault=True).may_hold(A, account())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" , ", "no entry"),
        ("kv-a", "is not vault=scope"),
        (f"kv-c={GROUP}", "is not one of the vaults"),
        (f"={GROUP}", "is not one of the vaults"),
        (f"https://kv-a.evil.example={GROUP}", "is not one of the vaults"),
        ("kv-a=rg-a", "is not the resource id"),
        ("kv-a=/subscriptions/*", "is not the resource id"),
        (f"kv-a={GROUP}/providers/Microsoft.Storage/storageAccounts/x", "is not the resource id"),
        (f"kv-a/a.b={GROUP}", "is not a secret name"),
        (f"kv-a/x/y={GROUP}", "is not a secret name"),
        (f"kv-a={GROUP},kv-a/team-*={GROUP}", "either every entry"),
    ],
)
def test_a_bad_entry_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        bindings.parse(text, VAULTS)


def test_every_bad_entry_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"kv-c.*; .*rg-a") as caught:
        bindings.parse(f"kv-c={GROUP},kv-a=rg-a", VAULTS)
    assert "no entry" not in str(caught.value)


def test_an_entry_of_one_vault_with_a_pattern_and_of_another_without_is_fine() -> None:
    assert bound(f"kv-a/key={GROUP},kv-b={GROUP}", B) is Bound.BROAD


def test_without_a_setting_a_single_vault_is_bound_to_every_account() -> None:
    assert Bindings(single_vault=True).of(TargetId(A, "x"), account()) is Bound.BROAD


def test_without_a_setting_several_vaults_are_undecided_until_they_are_frozen() -> None:
    pair = (TargetId(A, "key"), account())
    found = Bindings(frozen=((A, frozenset({pair})),))
    assert found.of(*pair) is Bound.BROAD
    assert found.of(TargetId(A, "key"), account(name="acct-b")) is Bound.NONE
    assert found.of(TargetId(B, "key"), account()) is Bound.UNDECIDED


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        entries = bindings.parse(text, VAULTS)
    except ValueError:
        return
    assert entries


@given(st.text("*ab-", min_size=1, max_size=8), st.text("ab-", min_size=1, max_size=8))
def test_a_pattern_without_a_star_matches_only_itself(pattern: str, name: str) -> None:
    found = bound(f"kv-a/{pattern}={GROUP}", name=name)
    if "*" not in pattern:
        assert (found is Bound.NAMED) == (pattern == name)
    if pattern.strip("*") == "":
        assert found is Bound.NAMED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (f"kv-a={ACCOUNT}", True),
        (f"kv-a={GROUP},kv-b={ACCOUNT.upper()}", True),
        (f"kv-a={GROUP}", False),
        (f"kv-a/key={GROUP}", False),
        (f"kv-a={ACCOUNT}x", False),
    ],
)
def test_an_entry_names_an_account_if_its_scope_is_the_account(text: str, expected: bool) -> None:
    entries = bindings.parse(text, VAULTS) if text else None
    assert Bindings(entries).names(account()) is expected


def test_a_frozen_pair_names_its_account() -> None:
    pairs = frozenset({(TargetId(A, "key"), account(name="other")), (TargetId(A, "b"), account())})
    frozen = Bindings(frozen=((B, frozenset()), (A, pairs)))
    assert frozen.names(account())
    assert frozen.names(account(name="other"))
    assert not frozen.names(account(name="third"))
    assert not Bindings().names(account())


@pytest.mark.parametrize(
    ("found", "are_frozen", "are_lost"),
    [
        (Bindings(entries=()), False, False),
        (Bindings(single_vault=True), False, False),
        (Bindings(), True, True),
        (Bindings(frozen=((A, frozenset()),)), True, False),
    ],
)
def test_bindings_are_frozen_only_without_a_setting_and_with_several_vaults(
    found: Bindings, are_frozen: bool, are_lost: bool
) -> None:
    assert (found.are_frozen, found.are_lost) == (are_frozen, are_lost)
    assert found.is_undecided(A) is (are_frozen and not found.frozen)


def test_the_subscriptions_are_those_of_the_entries() -> None:
    found = bindings.parse(f"kv-a={GROUP},kv-b=/subscriptions/s2,kv-b={ACCOUNT}", VAULTS)
    assert Bindings(found).subscriptions == {"s1", "s2"}
    assert Bindings().subscriptions == frozenset()


def test_a_setting_decides_even_if_there_is_a_single_vault() -> None:
    assert Bindings((), single_vault=True).of(TargetId(A, "x"), account()) is Bound.NONE
    assert Bindings().is_undecided(A)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (f"kv-a={GROUP}", [(A, None)]),
        (f" kv-a = {GROUP} ,, kv-a={GROUP}/", [(A, None)]),
        (f"kv-b/x={GROUP},kv-a/y-*={GROUP}", [(B, "x"), (A, "y-*")]),
        (f"{A}/={GROUP}", [(A, None)]),
        (f"kv-a/={GROUP}", [(A, None)]),
        (f"{A}/secrets/x/={GROUP}", [(A, "x")]),
        (f"kv-b.vault.azure.net/x={GROUP}", [(B, "x")]),
    ],
)
def test_entries_are_read_in_order_and_once(
    text: str, entries: list[tuple[str, str | None]]
) -> None:
    expected = tuple(bindings.Entry(vault, GROUP.lower(), name) for vault, name in entries)
    assert bindings.parse(text, VAULTS) == expected


def test_a_name_that_two_vaults_share_is_refused() -> None:
    china = "https://kv-a.vault.azure.cn"
    with pytest.raises(ValueError, match="is not one of the vaults"):
        bindings.parse(f"kv-a={GROUP}", (A, china))
    (entry,) = bindings.parse(f"kv-a.vault.azure.cn={GROUP}", (A, china))
    assert entry.vault == china


@pytest.mark.parametrize("text", [f"-kv={GROUP}", f"{'k' * 65}={GROUP}", f".={GROUP}"])
def test_a_place_with_a_name_that_no_vault_has_is_refused(text: str) -> None:
    host = text.partition("=")[0]
    with pytest.raises(ValueError, match="is not one of the vaults"):
        bindings.parse(text, (f"https://{host}.vault.azure.net",))


def test_a_vault_and_a_secret_compare_without_case() -> None:
    (entry,) = bindings.parse(f"kv-a/key={GROUP}", VAULTS)
    assert entry.covers(TargetId(A.upper(), "KEY"), account())


def test_every_vault_with_mixed_entries_is_named() -> None:
    mixed = f"kv-b={GROUP},kv-b/x={GROUP},kv-a={GROUP},kv-a/x={GROUP}"
    with pytest.raises(ValueError, match="kv-a") as caught:
        bindings.parse(mixed, VAULTS)
    assert [part.partition(": ")[0] for part in str(caught.value).split("; ")] == [A, B]


def test_a_refusal_names_both_sides() -> None:
    text = bindings.not_bound(TargetId(A, "key"), account())
    assert f"{A}/secrets/key" in text
    assert str(account()) in text
