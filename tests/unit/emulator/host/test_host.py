"""The local Functions host: HTTP, Event Grid and timer triggers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import azure.functions as func
import pytest

from emulator.host import Host, Keys
from emulator.host.functions import BadApp, of_app
from emulator.host.timers import Timer

KEYS = Keys("master", "function", "eventgrid")
seen: list[Any] = []
app = func.FunctionApp()
part = func.Blueprint()  # type: ignore[no-untyped-call]


@app.route(route="items/{id:int}/{what?}", methods=["GET", "POST"])
async def item(req: func.HttpRequest) -> func.HttpResponse:
    body = {
        "params": dict(req.route_params),
        "query": dict(req.params),
        "body": req.get_body().decode(),
        "method": req.method,
    }
    return func.HttpResponse(
        json.dumps(body), status_code=201, headers={"X-Own": "1"}, mimetype="application/json"
    )


@app.route(route="items/all", auth_level=func.AuthLevel.ANONYMOUS)
def everything(req: func.HttpRequest) -> str:
    return "all of them"


@app.route(route="bad", auth_level=func.AuthLevel.ANONYMOUS)
def bad(req: func.HttpRequest) -> str:
    raise RuntimeError("what went wrong is not for the caller")


@app.route(route="secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name


@app.event_grid_trigger(arg_name="event")
async def on_event(event: func.EventGridEvent) -> None:
    seen.append(event)
    if event.subject == "fail":
        raise RuntimeError("cannot do it")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", use_monitor=False)
def yearly(timer: func.TimerRequest) -> None:
    seen.append(timer)


@part.route(route="part", auth_level=func.AuthLevel.ANONYMOUS)
def of_blueprint(req: func.HttpRequest) -> str:
    return "from a blueprint"


app.register_functions(part)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    seen.clear()
    async with Host(app, keys=KEYS) as host:
        yield host


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_routes_support_parameters_constraints_and_optional_parts(
    host: Host, session: aiohttp.ClientSession
) -> None:
    headers = {"x-functions-key": "function"}
    url = f"{host.url}/api/items/7/parts?q=1"
    async with session.post(url, data="x", headers=headers) as response:
        assert response.status == 201
        assert response.headers["X-Own"] == "1"
        assert response.content_type == "application/json"
        assert await response.json() == {
            "params": {"id": "7", "what": "parts"},
            "query": {"q": "1"},
            "body": "x",
            "method": "POST",
        }
    async with session.get(f"{host.url}/api/items/x?code=function") as response:
        assert response.status == 404, "not an int"
    async with session.delete(f"{host.url}/api/items/7?code=function") as response:
        assert response.status == 404, "not a method of it"


async def test_the_most_literal_route_wins(host: Host, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{host.url}/api/items/all") as response:
        assert await response.text() == "all of them"
    async with session.get(f"{host.url}/api/part") as response:
        assert await response.text() == "from a blueprint"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("items/7", None, 401),
        ("items/7", "wrong", 401),
        ("items/7", "function", 201),
        ("items/7", "master", 201),
        ("secret", "function", 401),
        ("secret", "master", 200),
        ("items/all", None, 200),
        ("nothing", "master", 404),
    ],
)
async def test_a_key_is_valid_for_its_level_only(
    host: Host, session: aiohttp.ClientSession, path: str, key: str | None, status: int
) -> None:
    headers = {"x-functions-key": key} if key else {}
    async with session.get(f"{host.url}/api/{path}", headers=headers) as response:
        assert response.status == status
    if key:
        async with session.get(f"{host.url}/api/{path}?code={key}") as response:
            assert response.status == status


async def test_an_exception_is_an_empty_500(host: Host, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{host.url}/api/bad") as response:
        assert response.status == 500
        assert await response.read() == b""


GRID = {
    "id": "1",
    "topic": "/t",
    "subject": "s",
    "eventType": "T",
    "eventTime": "2026-11-23T00:00:00.1234567Z",
    "data": {"x": 1},
    "dataVersion": "1",
    "metadataVersion": "1",
}
CLOUD = {
    "id": "2",
    "source": "/t",
    "subject": "s",
    "type": "T",
    "time": "2026-11-23T00:00:00.1234567Z",
    "data": {"x": 1},
    "specversion": "1.0",
}


async def test_the_host_responds_to_the_validation_handshake(
    host: Host, session: aiohttp.ClientSession
) -> None:
    event = {"eventType": "x", "data": {"validationCode": "512d"}}
    headers = {"aeg-event-type": "SubscriptionValidation"}
    async with session.post(host.webhook("on_event"), json=[event], headers=headers) as response:
        assert response.status == 200
        assert await response.json() == {"validationResponse": "512d"}
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net"}
    async with session.options(host.webhook("on_event"), headers=headers) as response:
        assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert seen == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"[1]", b'[{"data": null}]', b'[{"data": {}}]', b"[" * 100_000]
)
async def test_a_handshake_without_a_code_is_refused(
    host: Host, session: aiohttp.ClientSession, body: bytes
) -> None:
    headers = {"aeg-event-type": "SubscriptionValidation"}
    async with session.post(host.webhook("on_event"), data=body, headers=headers) as response:
        assert response.status == 400


@pytest.mark.parametrize("body", [[GRID, GRID], CLOUD], ids=["grid-array", "cloud-single"])
async def test_each_event_is_one_call_and_the_status_is_202_if_all_succeed(
    host: Host, session: aiohttp.ClientSession, body: Any
) -> None:
    async with session.post(host.webhook("on_event"), json=body) as response:
        assert response.status == 202
    assert len(seen) == (len(body) if isinstance(body, list) else 1)
    assert seen[0].get_json() == {"x": 1}


async def test_one_failed_event_is_a_500_with_the_exceptions_text(
    host: Host, session: aiohttp.ClientSession
) -> None:
    body = [GRID, GRID | {"subject": "fail"}]
    async with session.post(host.webhook("on_event"), json=body) as response:
        assert response.status == 500
        assert "cannot do it" in await response.text()
    assert len(seen) == 2


async def test_a_wrong_code_or_function_is_refused(
    host: Host, session: aiohttp.ClientSession
) -> None:
    url = f"{host.url}/runtime/webhooks/EventGrid?functionName=on_event&code="
    async with session.post(url + "wrong", json=[GRID]) as response:
        assert response.status == 401
    async with session.post(url + "eventgrid", json=[GRID]) as response:
        assert response.status == 202
    async with session.post(host.webhook("nobody"), json=[GRID]) as response:
        assert response.status == 404


async def test_the_admin_api_runs_a_timer(host: Host, session: aiohttp.ClientSession) -> None:
    url = f"{host.url}/admin/functions/yearly"
    async with session.post(url, headers={"x-functions-key": "function"}) as response:
        assert response.status == 401
    async with session.post(url, headers={"x-functions-key": "master"}, json={}) as response:
        assert response.status == 202
    await asyncio.sleep(0.1)
    assert len(seen) == 1
    assert seen[0].past_due is False


async def test_a_schedule_starts_with_seconds() -> None:
    often = func.FunctionApp()

    @often.timer_trigger(arg_name="timer", schedule="*/5 * * * * *")
    def tick(timer: func.TimerRequest) -> None:
        seen.append(timer)

    timer = Timer(of_app(often)[0], None, timedelta(minutes=1))
    at = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)
    assert timer.next_after(at) == datetime(2026, 11, 23, 0, 0, 5, tzinfo=UTC)


async def test_a_setting_in_a_binding_is_resolved_or_reported_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queued = func.FunctionApp()

    @queued.queue_trigger(arg_name="message", queue_name="%QUEUE_NAME%", connection="Storage")
    def work(message: func.QueueMessage) -> None:
        seen.append(message)

    with pytest.raises(BadApp, match="QUEUE_NAME"):
        of_app(queued)
    monkeypatch.setenv("QUEUE_NAME", "jobs")
    assert of_app(queued)[0].trigger["queueName"] == "jobs"


@pytest.mark.parametrize(
    ("schedule", "caught_up"), [("0 */5 * * * *", True), ("*/5 * * * * *", False)]
)
async def test_only_a_timer_that_runs_at_most_once_a_minute_catches_up(
    tmp_path: Path, schedule: str, caught_up: bool
) -> None:
    timed = func.FunctionApp()

    @timed.timer_trigger(arg_name="timer", schedule=schedule)
    def tick(timer: func.TimerRequest) -> None:
        seen.append(timer)

    long_ago = datetime.now(UTC) - timedelta(hours=1)
    (tmp_path / "tick.json").write_text(json.dumps({"last": long_ago.isoformat()}))
    timer = Timer(of_app(timed)[0], tmp_path, timedelta(minutes=1))
    assert timer._missed() is caught_up
