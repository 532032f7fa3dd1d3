"""Building an Azure from JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.keyvault.secrets.aio import SecretClient

from emulator import seed
from emulator.azure import Azure, virtual
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport

SMALL: dict[str, Any] = {
    "accounts": [{"name": "speech", "kind": "SpeechServices", "new_key_delay": 20}],
    "vaults": [
        {
            "name": "kv-small",
            "near_delay": 5,
            "secrets": [
                {
                    "name": "speech-key",
                    "publishes": ["speech", "Key2"],
                    "expires_in": 864000,
                    "tags": {"ProviderAddress": "id:speech"},
                }
            ],
        }
    ],
    "principals": [
        {"name": "rotation", "roles": ["Key rotator", {"role": "Reader", "scope": "/x"}]},
        {"name": "custom", "roles": [{"actions": ["*/read"], "dataActions": []}]},
    ],
    "topics": ["rotations"],
    "subscriptions": [{"vault": "kv-small", "url": "http://hook", "types": ["SecretNearExpiry"]}],
}


def planted(what: dict[str, Any] = SMALL) -> Azure:
    azure = virtual()
    seed.plant(azure, json.loads(json.dumps(what)))
    return azure


def test_a_secret_publishes_the_key_of_a_slot() -> None:
    azure = planted()
    current = azure.secret("kv-small", "speech-key").current
    assert current.value == azure.account("speech").keys["Key2"]
    assert current.tags == {"ProviderAddress": azure.account("speech").id}
    assert azure.account("speech").new_key_delay == timedelta(seconds=20)


def test_a_subscription_gets_events_of_secrets_in_the_same_seed() -> None:
    azure = planted()
    azure.advance(timedelta(seconds=5))
    assert {delivery.event["subject"] for _, delivery in azure.due_deliveries()} == {"speech-key"}


def test_a_lock_applies_to_an_account_or_to_any_scope() -> None:
    azure = planted(SMALL | {"locks": ["id:speech", "/subscriptions/s"]})
    assert azure.arm.locks == {azure.account("speech").id, "/subscriptions/s"}


def test_the_default_seed_can_be_planted() -> None:
    azure = planted(seed.PLAYGROUND)
    assert azure.secret("kv-demo", "aoai-demo-key").current.tags


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"account": []}, "a seed has no account; known: accounts"),
        ({"accounts": [{}]}, r"accounts\[0\]: .*'name'"),
        ({"accounts": [{"name": "a", "colour": "red"}]}, r"accounts\[0\]: .*'colour'"),
        (
            {"vaults": [{"name": "kv-a", "secrets": [{"name": "s", "publishes": ["no", "Key1"]}]}]},
            r"vaults\[0\]: .*there is no account 'no'",
        ),
        ({"principals": [{"name": "p", "roles": ["King"]}]}, r"there is no role 'King'; known: "),
        ({"subscriptions": [{"vault": "kv-none", "url": "u"}]}, "there is no vault 'kv-none'"),
    ],
)
def test_a_broken_seed_reports_the_fault_and_its_place(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        planted(broken)


async def history() -> list[Any]:
    azure = planted()
    officer = azure.add_principal("officer").assign("Key Vault Secrets Officer", "/")
    async with SecretClient(
        "https://kv-small.vault.azure.net",
        AsyncCredential(azure, officer),
        transport=AsyncEmulatorTransport(azure),
    ) as client:
        await client.get_secret("speech-key")
        azure.regenerate_by_hand("speech", "Key1")
        await client.set_secret("speech-key", "x")
        azure.advance(timedelta(hours=1))
    vault = azure.vault("kv-small")
    return [
        sorted(azure.issued_keys()),
        [version.id for version in vault.secret("speech-key").versions],
        [(delivery.event["id"], delivery.next_at) for delivery in vault.topic.pending],
        [(call.at, call.operation, call.status) for call in azure.calls[-2:]],
    ]


async def test_the_same_random_seed_gives_the_same_history() -> None:
    assert await history() == await history()


def test_storage_accounts_and_levels_of_locks_are_read() -> None:
    azure = Azure()
    lock = {"scope": "id:a", "level": "CanNotDelete"}
    role = {"role": "Storage Queue Data Contributor", "scope": "id:strotation"}
    seed.plant(
        azure,
        {
            "accounts": [{"name": "a"}],
            "storage": ["strotation"],
            "principals": [{"name": "p", "roles": [role]}],
            "locks": [lock],
        },
    )
    (scope,) = (scope for scope, _ in azure.identity.principals[0].assignments)
    assert scope == azure.storage.accounts["strotation"].id
    assert azure.arm.locks == set()


def test_a_seed_can_be_in_a_sovereign_cloud() -> None:
    azure = virtual()
    members = {
        "accounts": [{"name": "far", "kind": "SpeechServices", "cloud": "azure.us"}],
        "vaults": [{"name": "kv-far", "suffix": "vault.usgovcloudapi.net"}],
        "topics": [{"name": "rotations", "cloud": "azure.us"}],
    }
    seed.plant(azure, members)
    assert azure.account("far").endpoint == "https://far.cognitiveservices.azure.us/"
    assert azure.vault("kv-far").url == "https://kv-far.vault.usgovcloudapi.net"
    assert list(azure.topics.received) == ["rotations.westeurope-1.eventgrid.azure.us"]


def test_an_unknown_cloud_is_refused() -> None:
    with pytest.raises(ValueError, match=r"azure\.us"):
        seed.plant(virtual(), {"topics": [{"name": "rotations", "cloud": "azure.de"}]})
