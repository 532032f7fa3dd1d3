"""The calls of each kind of account: those that a probe may use, and chat completions."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...core.wire import Headers, Request, Response
from ..accounts import Account

Handler = Callable[[Account, Request, datetime], Response]


@dataclass(frozen=True)
class Route:
    """One call: its public name, method, path and kinds; ``versioned`` needs an api-version."""

    name: str
    method: str
    path: re.Pattern[str]
    kinds: frozenset[str]
    respond: Handler
    versioned: bool


def _models(account: Account, request: Request, now: datetime) -> Response:
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


def _models_v1(account: Account, request: Request, now: datetime) -> Response:
    model = {"id": "demo-model", "object": "model", "created": 1700000000, "owned_by": "system"}
    return ok({"object": "list", "data": [model]})


def _chat(account: Account, request: Request, now: datetime) -> Response:
    """Return a completion that repeats the last message."""
    try:
        text = json.loads(request.body or b"{}")["messages"][-1]["content"]
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


def _token(account: Account, request: Request, now: datetime) -> Response:
    """Return a token that is valid for ten minutes."""
    expires = int((now + timedelta(minutes=10)).timestamp())
    claims = json.dumps({"exp": expires, "region": account.location}).encode()
    parts = (b'{"alg":"HS256"}', claims, b"emulated")
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    headers = Headers({"Content-Type": "application/jwt; charset=us-ascii"})
    return Response(200, headers, text.encode())


def _list(member: str) -> Handler:
    return lambda account, request, now: ok({member: []})


def _info(account: Account, request: Request, now: datetime) -> Response:
    return ok({"customDocumentModels": {"count": 0, "limit": 500}})


def _array(account: Account, request: Request, now: datetime) -> Response:
    return ok([])


OPENAI = frozenset({"openai", "aiservices"})
_MULTI = frozenset({"cognitiveservices", "aiservices"})
_TOKENS = _MULTI | {"speechservices", "texttranslation"}


def _route(
    name: str,
    path: str,
    kinds: frozenset[str],
    respond: Handler,
    method: str = "GET",
) -> Route:
    """Return a route; a path that ends with ``?`` needs an api-version."""
    pattern = re.compile(path.removesuffix("?") + "/?", re.I)
    return Route(name, method, pattern, kinds, respond, path.endswith("?"))


_CHAT = r"/openai/deployments/[^/]+/chat/completions?"
_PROJECTS = r"/language/authoring/analyze-text/projects?"
ROUTES = (
    _route("openai_models", r"/openai/models?", OPENAI, _models),
    _route("openai_v1_models", r"/openai/v1/models", OPENAI, _models_v1),
    _route("chat", _CHAT, OPENAI, _chat, "POST"),
    _route("chat_v1", r"/openai/v1/chat/completions", OPENAI, _chat, "POST"),
    _route("issue_token", r"/sts/v1\.0/issueToken", _TOKENS, _token, "POST"),
    _route("document_info", r"/documentintelligence/info?", _MULTI | {"formrecognizer"}, _info),
    _route("form_info", r"/formrecognizer/info?", _MULTI | {"formrecognizer"}, _info),
    _route(
        "vision_models", r"/vision/v[\d.]+/models", _MULTI | {"computervision"}, _list("models")
    ),
    _route(
        "blocklists",
        r"/contentsafety/text/blocklists?",
        _MULTI | {"contentsafety"},
        _list("value"),
    ),
    _route("face_groups", r"/face/v[\d.]+/persongroups", _MULTI | {"face"}, _array),
    _route(
        "training_projects",
        r"/customvision/v[\d.]+/training/projects",
        frozenset({"customvision.training"}),
        _array,
    ),
    _route("language_projects", _PROJECTS, _MULTI | {"textanalytics"}, _list("value")),
)


def ok(body: object) -> Response:
    """Return 200 with a JSON body."""
    return Response.of_json(200, body, {"apim-request-id": str(uuid.uuid4())})


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as the data plane words it."""
    body = {"error": {"code": code, "message": message}}
    return Response.of_json(status, body, {"apim-request-id": str(uuid.uuid4()), **(headers or {})})
