"""The triggers of the function app: parse, call ``rotation``, return. Nothing is decided here."""

from __future__ import annotations

import logging
import os

import azure.functions as func

from rotation import events, web
from rotation.wiring import check_settings, service

logging.getLogger("azure").setLevel(logging.WARNING)
check_settings()
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("sweep")
@app.timer_trigger(
    arg_name="timer",
    schedule=os.environ.get("ROTATION_SCHEDULE", "0 */15 * * * *"),
    use_monitor=True,
    run_on_startup=False,
)
async def sweep(timer: func.TimerRequest) -> None:
    """Look at every account; the backstop for all that was lost."""
    await service().sweep()


@app.function_name("secret_expiring")
@app.event_grid_trigger(arg_name="event")
async def secret_expiring(event: func.EventGridEvent) -> None:
    """SecretNearExpiry and SecretExpired: enqueue and return, because Event Grid waits 30 s."""
    await service().event(events.payload(event))


@app.function_name("work")
@app.queue_trigger(
    arg_name="message",
    queue_name=os.environ.get("ROTATION_QUEUE", "rotation-work"),
    connection="AzureWebJobsStorage",
)
async def work(message: func.QueueMessage) -> None:
    """One visit to one account."""
    await service().message(message.get_body().decode())


@app.function_name("request_rotation")
@app.route(route="rotations", methods=["POST"])
async def request_rotation(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a rotation, or revoke a leaked key: 202 and where to follow it."""
    return _response(await web.request(service(), req.get_body(), req.headers))


@app.function_name("get_rotation")
@app.route(route="rotations/{id}", methods=["GET"])
async def get_rotation(req: func.HttpRequest) -> func.HttpResponse:
    """What an operation has done, what it waits for, and until when."""
    return _response(await web.status(service(), req.route_params["id"]))


@app.function_name("answer_rotation")
@app.route(route="rotations/{id}/{answer}", methods=["POST"])
async def answer_rotation(req: func.HttpRequest) -> func.HttpResponse:
    """Resume or abandon an operation that is blocked."""
    params = req.route_params
    return _response(await web.answer(service(), params["id"], params["answer"], req.get_body()))


def _response(answer: web.Answer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=answer.headers, mimetype=answer.mimetype
    )
