"""The answers to the calls, for a key that works."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from ...core.wire import Headers, Request, Response
from ..accounts import Account

Handler = Callable[[Account, Request, datetime], Response]


def models(account: Account, request: Request, now: datetime) -> Response:
    model = {
        "status": "succeeded",
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": True,
            "chat_completion": True,
            "embeddings": False,
        },
        "lifecycle_status": "generally-available",
        "deprecation": {"inference": 1830000000},
        "id": "demo-model",
        "created_at": 1700000000,
        "object": "model",
    }
    return ok({"data": [model], "object": "list"})


def models_v1(account: Account, request: Request, now: datetime) -> Response:
    model = {"id": "demo-model", "object": "model", "created": 1700000000, "owned_by": "system"}
    return ok({"object": "list", "data": [model]})


def chat(account: Account, request: Request, now: datetime) -> Response:
    """Return a completion that repeats the last message."""
    try:
        text = request.json()["messages"][-1]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return error(400, "BadRequest", "'messages' is a required property")
    message = {"role": "assistant", "content": f"You said: {text}"}
    tokens = len(str(text).split())
    return ok(
        {
            "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "demo-model",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {
                "prompt_tokens": tokens,
                "completion_tokens": tokens + 2,
                "total_tokens": 2 * tokens + 2,
            },
        }
    )


def token(account: Account, request: Request, now: datetime) -> Response:
    """Return a token that is valid for ten minutes."""
    expires = int((now + timedelta(minutes=10)).timestamp())
    claims = json.dumps({"exp": expires, "region": account.location}).encode()
    parts = (b'{"alg":"HS256"}', claims, b"emulated")
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    headers = Headers({"Content-Type": "application/jwt; charset=us-ascii"})
    return Response(200, headers, text.encode())


def empty(member: str) -> Handler:
    """Return an answer with an empty list in this member."""
    return lambda account, request, now: ok({member: []})


def info(account: Account, request: Request, now: datetime) -> Response:
    return ok({"customDocumentModels": {"count": 0, "limit": 500}})


def array(account: Account, request: Request, now: datetime) -> Response:
    return ok([])


def settings(account: Account, request: Request, now: datetime) -> Response:
    """Return the settings of a Personalizer."""
    return ok({"defaultReward": 0, "rewardWaitTime": "PT10M", "modelExportFrequency": "PT5M"})


def translate(account: Account, request: Request, now: datetime) -> Response:
    """Translate nothing: 400 for a body without texts, else the texts as they are."""
    try:
        texts = [str(one["Text"]) for one in request.json()]
    except (ValueError, KeyError, TypeError):
        texts = []
    if not texts:
        return error(400, "400000", "One of the request inputs is not valid.")
    return ok([{"translations": [{"text": text, "to": "en"}]} for text in texts])


def ok(body: object) -> Response:
    """Return 200 with a JSON body."""
    return Response.of_json(200, body, {"apim-request-id": str(uuid.uuid4())})


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as the data plane words it."""
    body = {"error": {"code": code, "message": message}}
    return Response.of_json(status, body, {"apim-request-id": str(uuid.uuid4()), **(headers or {})})
