"""Event Grid in: both schemas, the documented quirks, and what is ignored and why."""

from __future__ import annotations

import base64
import json
from typing import Any

import azure.functions as func
import pytest
from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter
from hypothesis import given
from hypothesis import strategies as st

from rotation.domain import events
from rotation.domain.events import Expiring, Ignored

VAULT = "https://kv-rotate-demo.vault.azure.net"
TOPIC = (
    "/subscriptions/1111/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-rotate-demo"
)
VERSION = "f9e8d7c6b5a493827160f5e4d3c2b1a0"
DATA = {
    "Id": f"{VAULT}/secrets/aoai-demo-key/{VERSION}",
    "VaultName": "kv-rotate-demo",
    "ObjectType": "Secret",
    "ObjectName": "aoai-demo-key",
    "Version": VERSION,
    "NBF": None,
    "EXP": 1797984000,
}


def grid(kind: str = "SecretNearExpiry", **data: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "topic": TOPIC,
        "subject": "aoai-demo-key",
        "eventType": f"Microsoft.KeyVault.{kind}",
        "eventTime": "2026-11-23T00:00:00.1234567Z",
        "data": DATA | data,
        "dataVersion": "1",
        "metadataVersion": "1",
    }


def cloud(kind: str = "SecretNearExpiry") -> dict[str, Any]:
    return {
        "id": "e-2",
        "source": TOPIC,
        "subject": "aoai-demo-key",
        "type": f"Microsoft.KeyVault.{kind}",
        "time": "2026-11-23T00:00:00.1234567Z",
        "data": DATA,
        "specversion": "1.0",
    }


def as_worker(event: dict[str, Any]) -> Any:
    """Return what the Functions worker passes on, by the library's own converter."""
    datum = meta.Datum(func._jsonutils.json.dumps(event), "json")
    return EventGridEventInConverter.decode(datum, trigger_metadata={})


@pytest.mark.parametrize("event", [grid(), cloud()], ids=["event-grid", "cloud-event"])
def test_near_expiry_names_the_version_in_either_schema(event: dict[str, Any]) -> None:
    for shape in (event, events.payload(as_worker(event))):
        found = events.parse(shape, [VAULT])
        assert isinstance(found, Expiring)
        assert (found.vault, found.secret, found.version) == (VAULT, "aoai-demo-key", VERSION)
        assert found.what == "is near expiry"


@pytest.mark.parametrize("event", [grid("SecretExpired"), cloud("SecretExpired")])
def test_an_expired_event_requests_a_visit_too(event: dict[str, Any]) -> None:
    found = events.parse(event, [VAULT])
    assert isinstance(found, Expiring)
    assert found.what == "has expired"


def test_the_quirks_of_the_documented_sample_are_accepted() -> None:
    event = grid()
    event["data"] = {
        "VaultName": "kv-rotate-demo",
        "ObjectType": "Secret",
        "ObjectName ": "aoai-demo-key",
        "Version": f" {VERSION}",
        "NBF": "1795392000",
        "EXP": "1797984000",
    }
    found = events.parse(event, [VAULT])
    assert isinstance(found, Expiring)
    assert (found.secret, found.version) == ("aoai-demo-key", VERSION)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (grid("CertificateNearExpiry"), "CertificateNearExpiry"),
        (cloud("CertificateNearExpiry"), "CertificateNearExpiry"),
        (grid(VaultName="kv-other"), "not configured"),
        (grid() | {"topic": TOPIC.replace("kv-rotate-demo", "kv-evil")}, "not configured"),
        (grid(VaultName="", Id="") | {"topic": ""}, "not configured"),
        (grid(ObjectType="Certificate"), "no secret"),
        (grid(Version="", Id=""), "does not name"),
        (grid(Version="", Id=f"{VAULT}/secrets/aoai-demo-key"), "does not name"),
        (grid(ObjectName="a_b", Id="") | {"subject": ""}, "does not name"),
        (grid(Version="0" * 32), "contradict"),
        (grid(ObjectName="other"), "contradict"),
        (grid() | {"subject": "/secrets/other"}, "contradict"),
        (grid(Id=f"https://kv-evil.vault.azure.net/secrets/aoai-demo-key/{VERSION}"), "configured"),
        (grid(Id=f"{VAULT}/keys/aoai-demo-key/{VERSION}"), "no secret"),
        (grid() | {"data": "not JSON"}, "not a JSON object"),
        (grid() | {"data_base64": base64.b64encode(b"{}").decode()}, "not a JSON object"),
        (cloud() | {"data": None, "data_base64": "%%"}, "not a JSON object"),
        (grid() | {"data": None}, "no data"),
        ([grid()], "not a JSON object"),
        ("x", "not a JSON object"),
    ],
)
def test_other_events_are_ignored_with_a_reason(event: Any, why: str) -> None:
    found = events.parse(event, [VAULT])
    assert isinstance(found, Ignored)
    assert why in found.reason


ID_ONLY = {"Id": DATA["Id"]}
TEXT = json.dumps(DATA)


@pytest.mark.parametrize(
    "event",
    [
        grid()
        | {
            "topic": "/subscriptions/1/resourceGroups/g/providers/Microsoft.EventGrid/"
            "systemTopics/any-name"
        },
        grid() | {"topic": f"{VAULT}/"},
        cloud() | {"source": VAULT},
        cloud() | {"source": "https://KV-rotate-demo.vault.azure.net:443"},
        grid(Version=""),
        grid() | {"data": ID_ONLY},
        cloud() | {"data": ID_ONLY, "source": "", "subject": ""},
        grid(ObjectName="") | {"subject": "/secrets/aoai-demo-key"},
        grid(ObjectName="", Id="") | {"subject": f"secrets/aoai-demo-key/{VERSION}/"},
        grid(ObjectName="", Id="", Version="") | {"subject": DATA["Id"]},
        grid() | {"data": TEXT},
        grid() | {"data": f"\ufeff{TEXT}"},
        cloud() | {"data": None, "data_base64": base64.b64encode(TEXT.encode()).decode()},
        cloud()
        | {"data": None, "data_base64": base64.encodebytes(TEXT.encode("utf-8-sig")).decode()},
    ],
)
def test_an_unambiguous_event_is_read_in_any_form(event: dict[str, Any]) -> None:
    for shape in (event, events.payload(as_worker(event))):
        found = events.parse(shape, [VAULT])
        assert isinstance(found, Expiring), found
        assert (found.vault, found.secret, found.version) == (VAULT, "aoai-demo-key", VERSION)


def test_an_event_without_a_type_requests_a_visit() -> None:
    event = cloud()
    del event["type"], event["source"]
    found = events.parse(event, [VAULT])
    assert isinstance(found, Expiring)
    assert found.what == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_arbitrary_json_never_raises(event: Any) -> None:
    assert isinstance(events.parse(event, [VAULT]), (Expiring, Ignored))


@given(st.dictionaries(st.sampled_from([*grid(), *cloud()]), JSON), JSON)
def test_json_that_resembles_an_event_never_raises(event: dict[str, Any], data: Any) -> None:
    assert isinstance(events.parse(event | {"data": data}, [VAULT]), (Expiring, Ignored))


ACCOUNT = (
    "/subscriptions/s1/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/acct-1"
)


def action(**data: Any) -> dict[str, Any]:
    return {
        "subject": ACCOUNT,
        "eventType": "Microsoft.Resources.ResourceActionSuccess",
        "id": "e-3",
        "data": {
            "resourceUri": ACCOUNT,
            "operationName": "Microsoft.CognitiveServices/accounts/regenerateKey/action",
            "claims": {"name": "Alice"},
        }
        | data,
        "topic": "/subscriptions/s1",
    }


def test_a_new_version_is_a_reason_to_look() -> None:
    found = events.parse(grid("SecretNewVersionCreated"), [VAULT])
    assert isinstance(found, Expiring)
    assert (found.secret, found.version) == ("aoai-demo-key", VERSION)


def test_a_key_that_somebody_regenerated_is_a_reason_to_look_at_the_account() -> None:
    found = events.parse(action(), [VAULT])
    assert isinstance(found, events.Regenerated)
    assert str(found.account).lower() == ACCOUNT.lower()
    assert "Alice" not in repr(found)


@pytest.mark.parametrize(
    "data",
    [
        {"operationName": "Microsoft.CognitiveServices/accounts/listKeys/action"},
        {"operationName": "Microsoft.Storage/storageAccounts/regenerateKey/action"},
        {"operationName": None},
        {"resourceUri": "/subscriptions/s1"},
        {"resourceUri": ["x"]},
    ],
)
def test_other_actions_are_ignored(data: dict[str, Any]) -> None:
    assert isinstance(events.parse(action(**data), [VAULT]), Ignored)


def test_an_event_that_names_two_configured_vaults_contradicts_itself() -> None:
    other = "https://kv-other.vault.azure.net"
    event = grid(Id="") | {"topic": TOPIC.replace("kv-rotate-demo", "kv-other")}
    found = events.parse(event, [VAULT, other])
    assert isinstance(found, Ignored)
    assert "contradict" in found.reason


def test_a_vault_that_is_not_configured_is_named() -> None:
    event = grid(VaultName="kv-other", Id="") | {"topic": ""}
    assert events.parse(event, [VAULT]) == Ignored("vault 'kv-other' is not configured")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("Microsoft.KeyVault.CertificateNewVersionCreated", None),
        ("Microsoft-" + "0af1" * 8, "Microsoft-…"),
        ("a b " * 100, ("a b " * 100)[:120]),
    ],
)
def test_the_type_of_an_event_is_shown_without_a_key_and_cut(kind: str, shown: str | None) -> None:
    found = events.parse(grid() | {"eventType": kind}, [VAULT])
    assert found == Ignored(f"events of type {shown or kind!r} ask for nothing")


def test_an_event_of_the_worker_keeps_its_members() -> None:
    event = grid()
    assert events.payload(event) is event
    found = events.payload(as_worker(event))
    assert (found["id"], found["topic"], found["subject"]) == ("e-1", TOPIC, "aoai-demo-key")
    assert (found["type"], found["data"]) == (event["eventType"], DATA)


def test_a_cloud_event_of_the_worker_keeps_its_source() -> None:
    event = func.CloudEvent(
        id="e-2", source=TOPIC, type="t", specversion="1.0", subject="key", time=None, data=DATA
    )
    found = events.payload(event)
    assert (found["id"], found["topic"], found["type"]) == ("e-2", TOPIC, "t")
