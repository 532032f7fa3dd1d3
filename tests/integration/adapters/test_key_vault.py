"""Key Vault through the real client: what is read, what is written, and what each failure means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from emulator.services.keyvault.model import Version
from rotation.adapters.key_vault import KeyVaults
from rotation.domain.errors import Permanent, RotationError, Transient, Unknown
from rotation.domain.formats import FOREIGN, parse
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Key
from rotation.domain.targets import Enrolment, Target
from rotation.runtime.clock import Clock

from .failures import failing

VAULT = "https://kv-demo.vault.azure.net"
OTHER = "https://kv-other.vault.azure.net"
AI_KEY = TargetId(VAULT, "ai-key")
ACCOUNT = AccountId("s", "g", "acct")
TAGS = {"ProviderAddress": str(ACCOUNT), "ValidityPeriodDays": "90"}
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
FORMATS = parse('{"text": "Key={key}"}')


@pytest.fixture
async def vaults(
    azure: Azure, credential: AsyncCredential, clock: Clock
) -> AsyncIterator[KeyVaults]:
    azure.add_vault("kv-demo")
    found = KeyVaults(
        iter([VAULT, OTHER]), credential, clock, lambda: AsyncEmulatorTransport(azure), FORMATS
    )
    yield found
    await found.close()


def add(azure: Azure, value: str = "key-one", **more: Any) -> Version:
    return azure.add_secret("kv-demo", "ai-key", value=value, **more)


def target(*, value: str | None = "key-one", content_type: str | None = "text/plain") -> Target:
    key = Key(value) if value else None
    return Target(AI_KEY, "v", key, EXPIRES, None, content_type, {}, Enrolment(ACCOUNT))


def answer(azure: Azure, operation: str, status: int, code: str = "", **more: Any) -> None:
    body = {"error": {"code": code, "message": "no"}} if code else None
    azure.faults.add(Fault("answer", operation, status=status, body=body, times=9, **more))


async def test_a_vault_is_listed_with_its_tags_and_times(azure: Azure, vaults: KeyVaults) -> None:
    add(azure, tags=TAGS, expires=EXPIRES, content_type="text/plain")
    azure.add_secret("kv-demo", "other", value="x")
    listed = {one.target.name: one async for one in vaults.list_secrets(VAULT)}
    assert set(listed) == {"ai-key", "other"}
    found = listed["ai-key"]
    assert (found.target, found.account, found.tags) == (AI_KEY, ACCOUNT, TAGS)
    assert (found.expires, found.content_type) == (EXPIRES, "text/plain")
    assert not listed["other"].is_enrolled


async def test_a_vault_that_cannot_be_listed_is_told(azure: Azure, vaults: KeyVaults) -> None:
    answer(azure, "keyvault.list_secrets", 503)
    with pytest.raises(Transient, match=f"list the secrets of {VAULT}: 503"):
        [one async for one in vaults.list_secrets(VAULT)]


async def test_a_vault_that_is_not_configured_is_never_called(
    azure: Azure, vaults: KeyVaults
) -> None:
    azure.add_vault("kv-stranger")
    stranger = TargetId("https://kv-stranger.vault.azure.net", "ai-key")
    failed = await failing(vaults.get_secret(stranger))
    assert (failed.code, "ROTATION_VAULTS" in failed.advice) == ("UnknownVault", True)
    assert not azure.calls


async def test_each_vault_has_one_client_and_its_own(azure: Azure, vaults: KeyVaults) -> None:
    azure.add_vault("kv-other")
    add(azure)
    assert await vaults.get_secret(AI_KEY) is not None
    assert await vaults.get_secret(TargetId(OTHER, "ai-key")) is None
    assert vaults._client(VAULT) is vaults._client(VAULT)
    assert vaults._client(VAULT) is not vaults._client(OTHER)


class TestTheLatestVersion:
    async def test_is_read_with_its_value(self, azure: Azure, vaults: KeyVaults) -> None:
        version = add(azure, tags=TAGS, expires=EXPIRES)
        found = await vaults.get_secret(AI_KEY)
        assert found is not None
        assert (found.id, found.version, found.value) == (AI_KEY, version.id, Key("key-one"))
        assert (found.expires, found.tags) == (EXPIRES, TAGS)

    async def test_is_none_if_there_is_no_secret(self, vaults: KeyVaults) -> None:
        assert await vaults.get_secret(AI_KEY) is None

    async def test_has_no_value_if_it_is_disabled(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure, "key-zero")
        azure.advance(timedelta(seconds=1))
        latest = add(azure, tags=TAGS, enabled=False)
        found = await vaults.get_secret(AI_KEY)
        assert found is not None
        assert (found.version, found.value, found.tags) == (latest.id, None, TAGS)

    async def test_is_none_if_a_disabled_secret_was_deleted_in_the_meantime(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        add(azure, enabled=False)
        gone = Fault("answer", "keyvault.list_versions", status=200, body={"value": []})
        azure.faults.add(gone)
        assert await vaults.get_secret(AI_KEY) is None

    async def test_holds_the_key_of_its_format(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure, "Key=abc", tags={**TAGS, "RotationFormat": "text"})
        found = await vaults.get_secret(AI_KEY)
        assert found is not None
        assert found.value == Key("abc")

    async def test_of_another_form_is_foreign(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure, "password", tags={**TAGS, "RotationFormat": "text"})
        found = await vaults.get_secret(AI_KEY)
        assert found is not None
        assert found.value == FOREIGN

    async def test_of_an_unknown_format_is_an_error(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure, "Key=abc", tags={**TAGS, "RotationFormat": "none"})
        failed = await failing(vaults.get_secret(AI_KEY))
        assert (type(failed), failed.code) == (Permanent, "UnknownFormat")

    @pytest.mark.parametrize(("status", "kind"), [(503, Transient), (403, Permanent)])
    async def test_that_cannot_be_read_is_an_error(
        self, azure: Azure, vaults: KeyVaults, status: int, kind: type[RotationError]
    ) -> None:
        add(azure)
        answer(azure, "keyvault.get_secret", status, "Forbidden")
        failed = await failing(vaults.get_secret(AI_KEY))
        assert type(failed) is kind
        assert str(failed).startswith(f"read secret {AI_KEY}")


class TestVersions:
    async def test_are_read_with_the_values_of_the_enabled_ones(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        first, second = add(azure, "key-one"), add(azure, "key-two", enabled=False)
        found = {one.version: one for one in await vaults.read_versions(AI_KEY)}
        assert found[first.id].value == Key("key-one")
        assert found[second.id].value is None
        assert found[first.id].target == AI_KEY
        assert found[first.id].created == azure.clock.now().replace(microsecond=0)

    async def test_that_were_just_read_are_not_read_again(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        first, second = add(azure, "key-one"), add(azure, "key-two")
        azure.calls.clear()
        known = {second.id: Key("key-two")}
        found = {one.version: one.value for one in await vaults.read_versions(AI_KEY, known)}
        assert found == {first.id: Key("key-one"), second.id: Key("key-two")}
        assert [call.operation for call in azure.calls].count("keyvault.get_secret") == 1

    async def test_that_were_just_read_have_no_value_once_they_are_disabled(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        version = add(azure, "key-one", enabled=False)
        (found,) = await vaults.read_versions(AI_KEY, {version.id: Key("key-one")})
        assert found.value is None

    async def test_without_our_tags_have_the_format_of_the_newest_one_that_has_them(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        add(azure, "Key=old", tags={})
        azure.advance(timedelta(seconds=1))
        add(azure, "plain", tags=TAGS)
        azure.advance(timedelta(seconds=1))
        add(azure, "Key=new", tags={**TAGS, "RotationFormat": "text"})
        found = [one.value for one in await vaults.read_versions(AI_KEY)]
        assert set(found) == {Key("old"), Key("plain"), Key("new")}

    @pytest.mark.parametrize(("status", "code"), [(404, "SecretNotFound"), (403, "SecretDisabled")])
    async def test_that_vanish_or_are_disabled_in_the_meantime_have_no_value(
        self, azure: Azure, vaults: KeyVaults, status: int, code: str
    ) -> None:
        add(azure)
        body = {"error": {"code": "Forbidden", "innererror": {"code": code}, "message": ""}}
        azure.faults.add(Fault("answer", "keyvault.get_secret", status=status, body=body))
        assert [one.value for one in await vaults.read_versions(AI_KEY)] == [None]

    async def test_of_an_unknown_format_are_an_error(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure, tags={**TAGS, "RotationFormat": "none"})
        assert (await failing(vaults.read_versions(AI_KEY))).code == "UnknownFormat"

    async def test_that_cannot_be_read_are_an_error(self, azure: Azure, vaults: KeyVaults) -> None:
        add(azure)
        answer(azure, "keyvault.get_secret", 503)
        failed = await failing(vaults.read_versions(AI_KEY))
        assert str(failed).startswith(f"read a version of secret {AI_KEY}: 503")
        answer(azure, "keyvault.list_versions", 503)
        failed = await failing(vaults.list_versions(AI_KEY))
        assert str(failed).startswith(f"list the versions of secret {AI_KEY}: 503")

    async def test_are_listed_without_their_values(self, azure: Azure, vaults: KeyVaults) -> None:
        version = add(azure, tags=TAGS, expires=EXPIRES)
        (found,) = await vaults.list_versions(AI_KEY)
        assert (found.version, found.enabled, found.tags) == (version.id, True, TAGS)
        assert found.expires == EXPIRES
        assert "keyvault.get_secret" not in [call.operation for call in azure.calls]


class TestPublish:
    async def test_creates_an_enabled_version_with_all_its_members(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        done = await vaults.publish(target(), Key("key-two"), TAGS, EXPIRES)
        current = azure.secret("kv-demo", "ai-key").current
        assert (current.value, current.enabled, current.tags) == ("key-two", True, TAGS)
        assert (current.content_type, current.exp) == ("text/plain", int(EXPIRES.timestamp()))
        assert done.version == current.id
        assert done.created == current.created.replace(microsecond=0)

    async def test_leaves_a_disabled_secret_disabled(self, azure: Azure, vaults: KeyVaults) -> None:
        await vaults.publish(target(value=None), Key("key-two"), TAGS, EXPIRES)
        assert not azure.secret("kv-demo", "ai-key").current.enabled

    @pytest.mark.parametrize("missing", ["id", "created"])
    async def test_is_unknown_without_a_version_in_the_response(
        self, azure: Azure, vaults: KeyVaults, missing: str
    ) -> None:
        body: dict[str, Any] = {
            "id": f"{VAULT}/secrets/ai-key/{'a' * 32}",
            "value": "key-two",
            "attributes": {"enabled": True, "created": 1_800_000_000},
        }
        if missing == "id":
            body["id"] = f"{VAULT}/secrets/ai-key"
        else:
            del body["attributes"]["created"]
        azure.faults.add(Fault("answer", "keyvault.set_secret", status=200, body=body))
        failed = await failing(vaults.publish(target(), Key("key-two"), TAGS, EXPIRES))
        assert (type(failed), failed.code) == (Unknown, "Unreadable")

    @pytest.mark.parametrize(
        ("status", "kind"), [(500, Unknown), (429, Transient), (400, Permanent)]
    )
    async def test_may_have_happened_only_if_the_service_failed(
        self, azure: Azure, vaults: KeyVaults, status: int, kind: type[RotationError]
    ) -> None:
        answer(azure, "keyvault.set_secret", status)
        failed = await failing(vaults.publish(target(), Key("key-two"), TAGS, EXPIRES))
        assert type(failed) is kind
        assert str(failed).startswith(f"publish to secret {AI_KEY}")
        assert [call.operation for call in azure.calls] == ["keyvault.set_secret"]


class TestChanges:
    async def test_tags_of_one_version_are_replaced(self, azure: Azure, vaults: KeyVaults) -> None:
        first, second = add(azure, tags={"a": "1"}), add(azure, tags={"a": "2"})
        await vaults.set_tags(AI_KEY, first.id, TAGS)
        assert (first.tags, second.tags) == (TAGS, {"a": "2"})

    async def test_only_the_named_version_is_disabled(
        self, azure: Azure, vaults: KeyVaults
    ) -> None:
        first, second = add(azure, tags=TAGS), add(azure)
        await vaults.disable(AI_KEY, first.id)
        assert (first.enabled, second.enabled) == (False, True)
        assert first.tags == TAGS

    async def test_a_version_that_is_gone_needs_not_be_disabled(self, vaults: KeyVaults) -> None:
        await vaults.disable(AI_KEY, "a" * 32)

    async def test_a_refusal_says_what_was_tried(self, azure: Azure, vaults: KeyVaults) -> None:
        version = add(azure)
        answer(azure, "keyvault.update_secret", 403, "Forbidden")
        failed = await failing(vaults.set_tags(AI_KEY, version.id, TAGS))
        assert str(failed).startswith("tag secret ai-key: 403")
        failed = await failing(vaults.disable(AI_KEY, version.id))
        assert str(failed).startswith(f"disable a version of secret {AI_KEY}: 403")


async def test_the_clock_follows_the_vault(azure: Azure, credential: AsyncCredential) -> None:
    azure.add_vault("kv-demo")
    late = Clock(lambda: azure.clock.now() - timedelta(minutes=5))
    vaults = KeyVaults([VAULT], credential, late, lambda: AsyncEmulatorTransport(azure))
    await vaults.get_secret(AI_KEY)
    await vaults.close()
    assert abs(late.skew - timedelta(minutes=5)) < timedelta(seconds=2)


async def test_a_redirect_is_not_followed(azure: Azure, vaults: KeyVaults) -> None:
    add(azure)
    elsewhere = {"Location": "https://attacker.example/secrets/ai-key"}
    answer(azure, "keyvault.get_secret", 307, headers=elsewhere)
    assert f"read secret {AI_KEY}: 307" in str(await failing(vaults.get_secret(AI_KEY)))
