"""Every member of an event that names the secret counts, in each of its forms."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.domain.event_claims import Claims, claims, configured, text

A, B = "https://kv-a.vault.azure.net", "https://kv-b.vault.azure.net/"
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults"
SYSTEM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/systemTopics/t"


def found(data: dict[str, Any] | None = None, **members: Any) -> tuple[tuple[str, ...], ...]:
    said = claims(members, data or {})
    return said.vaults, said.secrets, said.versions, said.kinds


NOTHING: tuple[tuple[str, ...], ...] = ((), (), (), ())


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, NOTHING),
        ({"topic": f"{VAULT}/KV-a"}, (("KV-a",), (), (), ())),
        ({"topic": f"{VAULT}/kv-a/"}, (("kv-a",), (), (), ())),
        ({"source": f"{VAULT}/kv-a"}, (("kv-a",), (), (), ())),
        ({"topic": f"{VAULT}/kv-a", "source": f"{VAULT}/kv-b"}, (("kv-a",), (), (), ())),
        ({"topic": f"https://management.azure.com{VAULT}/kv-a"}, (("kv-a",), (), (), ())),
        ({"topic": SYSTEM}, NOTHING),
        ({"topic": f"{SYSTEM}/"}, NOTHING),
        ({"topic": A}, (("kv-a.vault.azure.net",), (), (), ())),
        ({"topic": "/other/kv-a/"}, (("kv-a",), (), (), ())),
        ({"topic": "kv-a"}, (("kv-a",), (), (), ())),
        ({"topic": "https://["}, (("[",), (), (), ())),
        ({"subject": "key"}, ((), ("key",), (), ())),
        ({"subject": "/secrets/key/v1"}, ((), ("key",), ("v1",), ("secret",))),
        ({"subject": "secrets/key/"}, ((), ("key",), (), ("secret",))),
        ({"subject": f"{A}/keys/key"}, (("kv-a.vault.azure.net",), ("key",), (), ("key",))),
        ({"subject": "/other/key"}, NOTHING),
        ({"subject": "//kv-a/secrets/key"}, NOTHING),
        ({"subject": 1, "topic": ["x"]}, NOTHING),
    ],
)
def test_members_of_the_event_name_the_secret(
    members: dict[str, Any], expected: tuple[tuple[str, ...], ...]
) -> None:
    assert found(**members) == expected


def test_members_of_the_data_name_it_too() -> None:
    data = {"vaultname": "kv-a", "objectname": "key", "version": "v1", "objecttype": "Secret"}
    assert found(data) == (("kv-a",), ("key",), ("v1",), ("Secret",))
    assert found({"id": f"{A}/secrets/key/v1"}) == (
        ("kv-a.vault.azure.net",),
        ("key",),
        ("v1",),
        ("secret",),
    )


def test_names_that_differ_are_all_kept_and_those_that_differ_in_case_only_once() -> None:
    data = {"vaultname": "KV-A", "objectname": "key", "version": "v2", "id": "/secrets/KEY/v1"}
    said = claims({"topic": f"{VAULT}/kv-a", "subject": "other"}, data)
    assert isinstance(said, Claims)
    assert said.vaults == ("kv-a",)
    assert set(said.secrets) == {"key", "other"}
    assert set(said.versions) == {"v1", "v2"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kv-a", A),
        ("KV-B", B),
        ("kv-b.vault.azure.net", B),
        ("kv-c", None),
        ("kv", None),
        ("vault", None),
        ("", None),
    ],
)
def test_a_vault_is_configured_by_its_name_or_host(name: str, expected: str | None) -> None:
    assert configured(name, [A, B]) == expected
    assert configured("", ["nowhere"]) is None
    assert configured("kv-a", ["nowhere", A]) == A


def test_a_text_can_always_be_encoded() -> None:
    assert text(" a\ud800 ") == "a?"
    assert text(None) == text(1) == ""
