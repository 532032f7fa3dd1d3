"""The events of a vault, their delivery, and custom topics."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from emulator.azure import Azure
from emulator.core.wire import Headers, Request
from emulator.proxy.control import Control
from emulator.services.eventgrid import handshake

from .deliveries import deliver

HOOK = "http://127.0.0.1:7071/runtime/webhooks/eventgrid?functionName=f"


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
def test_a_vault_publishes_new_versions_near_expiry_and_expiry(azure: Azure, schema: str) -> None:
    azure.subscribe("kv-demo", HOOK, schema=schema)
    expires = azure.clock.now() + timedelta(days=40)
    azure.add_secret("kv-demo", "a", value="x", expires=expires)
    assert deliver(azure) == ["SecretNewVersionCreated"]
    azure.advance(timedelta(days=9))
    assert deliver(azure) == []
    azure.advance(timedelta(days=1, seconds=1))
    assert deliver(azure) == ["SecretNearExpiry"]
    azure.advance(timedelta(days=30))
    assert deliver(azure) == ["SecretExpired"]


def test_near_expiry_of_a_short_lived_version_follows_within_minutes(azure: Azure) -> None:
    azure.subscribe("kv-demo", HOOK, types=("SecretNearExpiry",))
    expires = azure.clock.now() + timedelta(days=10)
    azure.add_secret("kv-demo", "a", value="x", expires=expires)
    assert deliver(azure) == []
    azure.advance(timedelta(minutes=2))
    assert deliver(azure) == ["SecretNearExpiry"]


def test_near_expiry_is_for_current_versions_newer_than_the_subscription(
    azure: Azure,
) -> None:
    expires = azure.clock.now() + timedelta(days=10)
    azure.add_secret("kv-demo", "before", value="x", expires=expires)
    azure.advance(timedelta(seconds=1))
    azure.subscribe("kv-demo", HOOK, types=("SecretNearExpiry",))
    azure.add_secret("kv-demo", "replaced", value="x", expires=expires)
    azure.add_secret("kv-demo", "replaced", value="y")
    azure.advance(timedelta(minutes=5))
    assert deliver(azure) == []


def test_delivery_is_retried_for_a_day_and_then_dead_lettered(azure: Azure) -> None:
    azure.vault("kv-demo").topic.duplicates = 0
    azure.subscribe("kv-demo", HOOK, types=("SecretNewVersionCreated",))
    azure.add_secret("kv-demo", "a", value="x")
    attempts = 0
    for _ in range(24 * 60 * 2):
        for topic, delivery in azure.due_deliveries():
            attempts += 1
            topic.report(delivery, 500)
        azure.advance(timedelta(minutes=1))
    assert 10 <= attempts <= 12
    assert len(azure.vault("kv-demo").topic.dead_letters) == 1


@pytest.mark.parametrize(
    ("limit", "most"),
    [({"max_attempts": 2}, 2), ({"ttl_minutes": 1}, 3), ({"max_attempts": 30}, 11)],
)
def test_the_first_limit_of_a_retry_policy_ends_the_attempts(
    azure: Azure, limit: dict[str, int], most: int
) -> None:
    """By the schedule, the attempts are at 0 s, 10 s, 40 s and 100 s of an event's life."""
    azure.vault("kv-demo").topic.duplicates = 0
    azure.subscribe("kv-demo", HOOK, **limit)
    azure.add_secret("kv-demo", "a", value="x")
    attempts = 0
    for _ in range(24 * 360):
        for topic, delivery in azure.due_deliveries():
            assert delivery.headers["aeg-delivery-count"] == str(attempts)
            attempts += 1
            topic.report(delivery, None)
        azure.advance(timedelta(seconds=10))
    assert attempts == most


@pytest.mark.parametrize(
    "limit", [{"max_attempts": 0}, {"max_attempts": 31}, {"ttl_minutes": 0}, {"ttl_minutes": 1441}]
)
def test_a_retry_policy_has_bounds(azure: Azure, limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="policy"):
        azure.subscribe("kv-demo", HOOK, **limit)


@pytest.mark.parametrize(
    ("url", "status", "again"),
    [
        *((HOOK, status, False) for status in (400, 401, 403, 413)),
        *(("queue:work", status, False) for status in (400, 403, 413)),
        ("queue:work", 401, True),
        *((url, status, True) for url in (HOOK, "queue:work") for status in (404, 408, 429, 503)),
    ],
)
def test_some_statuses_are_not_retried(azure: Azure, url: str, status: int, again: bool) -> None:
    azure.vault("kv-demo").topic.duplicates = 0
    azure.subscribe("kv-demo", url)
    azure.add_secret("kv-demo", "a", value="x")
    ((topic, delivery),) = azure.due_deliveries()
    topic.report(delivery, status)
    assert azure.due_deliveries() == []
    assert (len(topic.pending), len(topic.dead_letters)) == ((1, 0) if again else (0, 1))


def test_the_handshake_is_an_event_of_the_vault_at_its_time(azure: Azure) -> None:
    source = azure.vault("kv-demo").id
    event = handshake.validation_event(source, "the-code", azure.clock.now())
    assert event["topic"] == source
    assert event["eventTime"].startswith("2026-11-23T00:00:00.")
    assert event["data"]["validationCode"] == "the-code"


@pytest.mark.parametrize(
    ("status", "body", "accepted"),
    [
        (200, '{"validationResponse": "the-code"}', True),
        (202, '{"validationResponse": "the-code"}', False),
        (200, '{"validationResponse": "another"}', False),
        *((200, body, False) for body in ("", "[]", "not JSON")),
    ],
)
def test_only_the_code_completes_a_handshake(status: int, body: str, accepted: bool) -> None:
    assert handshake.accepts(status, body, "the-code") is accepted


async def test_a_queue_needs_the_storage_account_that_it_is_in(azure: Azure) -> None:
    body = json.dumps({"vault": "kv-demo", "url": "queue:work"}).encode()
    request = Request("POST", "http://x/_emulator/subscriptions", body=body)
    control = Control(azure)
    assert (await control.handle(request)).status == 400
    assert not azure.vault("kv-demo").topic.subscriptions
    control.deliverer.storage = "UseDevelopmentStorage=true"
    assert (await control.handle(request)).status == 200


async def test_an_endpoint_that_cannot_be_reached_is_not_subscribed(azure: Azure) -> None:
    body = json.dumps({"vault": "kv-demo", "url": "http://127.0.0.1:1/hook"}).encode()
    request = Request("POST", "http://x/_emulator/subscriptions", body=body)
    assert (await Control(azure).handle(request)).status == 400
    assert not azure.vault("kv-demo").topic.subscriptions


def test_an_event_is_sometimes_delivered_twice(azure: Azure) -> None:
    azure.vault("kv-demo").topic.duplicates = 1
    azure.subscribe("kv-demo", HOOK)
    azure.add_secret("kv-demo", "a", value="x")
    first, second = (delivery.event["id"] for _, delivery in azure.due_deliveries())
    assert first == second


def test_a_custom_topic_checks_audience_role_schema_and_size(azure: Azure) -> None:
    url = azure.topics.add("rotations") + "?api-version=2018-01-01"
    event = {"id": "1", "source": "/s", "type": "t", "specversion": "1.0"}
    sender = azure.add_principal("sender")
    sender.assign("EventGrid Data Sender", azure.topics.id_of("rotations"))
    nobody = azure.add_principal("nobody")

    def send(principal: object, body: object, audience: str = "https://eventgrid.azure.net") -> int:
        token = azure.identity.issue(principal, audience)  # type: ignore[arg-type]
        headers = Headers(
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/cloudevents-batch+json; charset=utf-8",
            }
        )
        return azure.handle(Request("POST", url, headers, json.dumps(body).encode())).status

    assert send(sender, [event]) == 200
    assert send(nobody, [event]) == 403
    assert send(sender, [event], "https://vault.azure.net") == 401
    assert send(sender, [{"id": "1"}]) == 400
    assert send(sender, [event | {"data": "x" * 2**20}]) == 413
    (received,) = azure.topics.received.values()
    assert received == [event]


def test_a_subscription_can_include_versions_older_than_itself(azure: Azure) -> None:
    expires = azure.clock.now() + timedelta(days=60)
    azure.add_secret("kv-demo", "before", value="x", expires=expires)
    azure.advance(timedelta(days=1))
    azure.subscribe("kv-demo", HOOK, types=("SecretNearExpiry",), existing=True)
    azure.advance(timedelta(days=29))
    assert deliver(azure) == ["SecretNearExpiry"]


@pytest.mark.parametrize(("rearms", "raised"), [(True, ["SecretNearExpiry"]), (False, [])])
def test_moving_an_expiry_cancels_its_events_and_may_schedule_new_ones(
    azure: Azure, rearms: bool, raised: list[str]
) -> None:
    azure.vault("kv-demo").events.rearms = rearms
    azure.subscribe("kv-demo", HOOK, types=("SecretNearExpiry", "SecretExpired"))
    now, vault = azure.clock.now(), azure.vault("kv-demo")
    version = azure.add_secret("kv-demo", "a", value="x", expires=now + timedelta(days=40))
    later = int((now + timedelta(days=80)).timestamp())
    vault.update(vault.secret("a"), version, {"exp": later})
    azure.advance(timedelta(days=41))
    assert deliver(azure) == []
    azure.advance(timedelta(days=9))
    assert deliver(azure) == raised
    azure.advance(timedelta(days=30))
    assert deliver(azure) == ["SecretExpired"]


def test_an_event_has_the_vaults_address_in_its_cloud(azure: Azure) -> None:
    azure.add_vault("kv-far", suffix="vault.azure.cn").topic.duplicates = 0
    azure.subscribe("kv-far", HOOK)
    version = azure.add_secret("kv-far", "a", value="x")
    ((_, delivery),) = azure.due_deliveries()
    assert delivery.event["data"]["Id"] == f"https://kv-far.vault.azure.cn/secrets/a/{version.id}"
