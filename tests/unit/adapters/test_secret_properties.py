"""Any content of a vault is read into values of the domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from hypothesis import given
from hypothesis import strategies as st

from rotation.adapters import secret_properties
from rotation.domain import codec, tags
from rotation.domain.formats import Format, Formats
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key
from rotation.domain.policy import Policy
from rotation.domain.targets import ListedSecret, SecretSnapshot, VersionInfo
from rotation.service.views import fleet

VAULT = "https://kv-a.vault.azure.net"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/acct-a"
TEXTS = st.text() | st.sampled_from(["", ACCOUNT, "90", "0" * 300, "9" * 300, "P1D", "Key1"])
NAMES = st.sampled_from([*tags.READ, *tags.WRITTEN, " providerADDRESS "]) | st.text()
TAGS = st.none() | st.dictionaries(NAMES, TEXTS | st.none(), max_size=20)
TIMES = st.none() | st.integers() | st.floats() | st.datetimes(timezones=st.just(UTC))


class Attributes:
    """The attributes of a secret as the SDK holds them."""

    def __init__(self, enabled: Any, created: Any, expires: Any) -> None:
        self.enabled, self.expires = enabled, expires
        self.created = self.updated = created


def properties(found: Any, *, created: Any = NOW, expires: Any = None) -> SecretProperties:
    attributes = Attributes(True, created, expires)
    return SecretProperties(attributes, f"{VAULT}/secrets/one/1", tags=found)


@given(TAGS, TIMES, TIMES)
def test_any_listed_secret_has_a_row_that_can_be_stored(
    found: dict[str, str], created: object, expires: object
) -> None:
    listed = secret_properties.listed(VAULT, properties(found, created=created, expires=expires))
    row = fleet.row(listed, None, Policy(lead=timedelta(days=3650)), NOW)
    assert codec.dump(fleet.build(row, NOW))


@given(TAGS, TIMES, TIMES)
def test_any_secret_and_any_version_is_read(found: Any, created: object, expires: object) -> None:
    given_ = properties(found, created=created, expires=expires)
    snapshot = secret_properties.snapshot(TargetId(VAULT, "one"), given_, None)
    assert snapshot.created == secret_properties.version_info(given_).created
    assert codec.dump(snapshot.tags)


@given(st.text() | st.none())
def test_any_value_is_read_and_can_be_fingerprinted(value: str) -> None:
    secret = KeyVaultSecret(properties({}), value)
    formats = Formats({"a": Format("Key={key}")})
    for name in ("", "a"):
        found = secret_properties.key(secret, formats, name)
        assert found is not None
        assert found.fingerprint("salt")
    assert secret_properties.key(secret, formats, "b") is None


def test_a_version_without_our_tags_has_the_format_of_the_newest_with_them() -> None:
    address = {"ProviderAddress": "x"}
    listed = [
        properties(address | {"RotationFormat": "old"}, created=datetime(2026, 1, 1, tzinfo=UTC)),
        properties(address | {"RotationFormat": "New"}, created=datetime(2026, 1, 2, tzinfo=UTC)),
        properties({}, created=datetime(2026, 1, 3, tzinfo=UTC)),
    ]
    assert [secret_properties.format_of(one) for one in listed] == ["old", "new", None]
    versions = [secret_properties.version_info(one) for one in listed]
    assert secret_properties.newest_format(versions) == "new"
    assert secret_properties.newest_format(versions[2:]) == ""
    assert secret_properties.format_of(properties(address)) == ""


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (253402300801, secret_properties.LATEST),
        (-1, secret_properties.EARLIEST),
        (0, secret_properties.EARLIEST),
        (1, secret_properties.LATEST),
        ("soon", None),
        (datetime(9999, 12, 31, tzinfo=UTC), secret_properties.LATEST),
        (datetime(1900, 1, 1, tzinfo=UTC), secret_properties.EARLIEST),
        (NOW, NOW),
        (None, None),
    ],
)
def test_an_expiry_is_cut_to_the_calendar(given_: object, expected: datetime | None) -> None:
    found = secret_properties.listed(VAULT, properties({}, expires=given_))
    assert found.expires == expected


def test_a_snapshot_has_the_properties_of_the_version_under_the_vaults_own_name() -> None:
    given_ = properties({"a": None}, expires=NOW + timedelta(days=1))
    given_._content_type = "text/plain"
    key = Key("k")
    assert secret_properties.snapshot(TargetId(VAULT, "ONE"), given_, key) == SecretSnapshot(
        id=TargetId(VAULT, "one"),
        version="1",
        value=key,
        created=NOW,
        expires=NOW + timedelta(days=1),
        content_type="text/plain",
        tags={"a": ""},
        updated=NOW,
    )
    bare = secret_properties.snapshot(TargetId(VAULT, "one"), properties(None, created=None), None)
    assert (bare.content_type, bare.tags, bare.created) == (None, {}, secret_properties.EARLIEST)
    nameless = SecretProperties(Attributes(True, NOW, None), None)
    found = secret_properties.snapshot(TargetId(VAULT, "asked"), nameless, None)
    assert (found.id.name, found.version) == ("asked", "")


def test_a_listed_secret_has_everything_but_the_value() -> None:
    found = secret_properties.listed(VAULT, properties({"ProviderAddress": ACCOUNT}))
    assert found == ListedSecret(
        TargetId(VAULT, "one"),
        AccountId.parse(ACCOUNT),
        created=NOW,
        tags={"ProviderAddress": ACCOUNT},
        updated=NOW,
    )
    wrong = secret_properties.listed(VAULT, properties({"ProviderAddress": "nonsense"}))
    assert (wrong.account, wrong.problem != "") == (None, True)


def test_a_version_has_everything_but_the_value() -> None:
    assert secret_properties.version_info(properties({"a": "b"}, expires=NOW)) == VersionInfo(
        "1", NOW, NOW, True, {"a": "b"}, updated=NOW
    )
    off = SecretProperties(Attributes(None, NOW, None), f"{VAULT}/secrets/one/1")
    assert not secret_properties.version_info(off).enabled


@given(st.text() | st.from_regex(r"/subscriptions/.{0,5}/resourceGroups/.{0,9}/providers/.*"))
def test_any_text_is_an_account_or_rejected(text: str) -> None:
    try:
        found = AccountId.parse(text)
    except ValueError:
        return
    assert AccountId.parse(str(found)) == found
    assert not {"", ".", ".."} & set(str(found)[1:].split("/"))
