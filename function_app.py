"""The function app's triggers: parse the input, call ``rotation``, return its answer."""

from __future__ import annotations

import logging

import azure.functions as func

from rotation import web
from rotation.bootstrap.process import (
    auth_methods,
    check_settings,
    invocation,
    service,
    trigger_settings,
)
from rotation.domain import events

logging.getLogger("azure").setLevel(logging.WARNING)
logging.getLogger("rotation").setLevel(logging.INFO)
check_settings()
# The host checks function keys if they are enabled; otherwise App Service authenticates callers.
_LEVEL = func.AuthLevel.FUNCTION if auth_methods().function_keys else func.AuthLevel.ANONYMOUS
_QUEUE, _SCHEDULE, _EMERGENCY_QUEUE = trigger_settings()
app = func.FunctionApp(http_auth_level=_LEVEL)


@app.function_name("sweep")
@app.timer_trigger(
    arg_name="timer",
    schedule=_SCHEDULE,
    use_monitor=True,
    run_on_startup=False,
)
async def sweep(timer: func.TimerRequest) -> None:
    """Visit every account: the backstop for lost events and messages."""
    async with invocation():
        await service().triggers.sweep()
        await service().health.observe()


@app.function_name("emergencies")
@app.timer_trigger(
    arg_name="timer", schedule="0 * * * * *", use_monitor=False, run_on_startup=False
)
async def emergencies(timer: func.TimerRequest) -> None:
    """Go on with every open emergency each minute: it depends on no message and no record."""
    async with invocation():
        await service().triggers.respond()


@app.function_name("secret_expiring")
@app.event_grid_trigger(arg_name="event")
async def secret_expiring(event: func.EventGridEvent) -> None:
    """Enqueue SecretNearExpiry and SecretExpired, and return within Event Grid's 30 s."""
    async with invocation():
        await service().triggers.handle_event(events.payload(event))


@app.function_name("work")
@app.queue_trigger(
    arg_name="message",
    queue_name=_QUEUE,
    connection="AzureWebJobsStorage",
)
async def work(message: func.QueueMessage) -> None:
    """Handle one message of the work queue."""
    async with invocation():
        await service().triggers.handle_message(message.get_body().decode())


@app.function_name("emergency_work")
@app.queue_trigger(
    arg_name="message",
    queue_name=_EMERGENCY_QUEUE,
    connection="AzureWebJobsStorage",
)
async def emergency_work(message: func.QueueMessage) -> None:
    """Handle one message of the emergencies' queue, which no scheduled work fills."""
    async with invocation():
        await service().triggers.handle_message(message.get_body().decode(), urgent=True)


def _serve(route: web.Route) -> None:
    """Register one HTTP function for a route of the API."""

    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        request = web.HttpRequest(
            req.method, req.url, req.headers, req.route_params, req.params, req.get_body()
        )
        async with invocation():
            answer = await web.serve(route, request, auth_methods(), service)
        return func.HttpResponse(
            answer.body,
            status_code=answer.status,
            headers=dict(answer.headers),
            mimetype=answer.mimetype,
        )

    handle.__name__ = route.name
    level = _LEVEL if route.role else func.AuthLevel.ANONYMOUS
    served = app.route(route=route.path, methods=[route.method], auth_level=level)(handle)
    app.function_name(route.name)(served)


for _route in web.ROUTES:
    _serve(_route)
