"""The accounts' data plane: the probes of every kind, and a real-looking call for consumers."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from .accounts import Account, Accounts
from .wire import Headers, Request, Response

SUFFIXES = (
    "openai.azure.com",
    "cognitiveservices.azure.com",
    "services.ai.azure.com",
    "openai.azure.us",
    "cognitiveservices.azure.us",
    "openai.azure.cn",
    "cognitiveservices.azure.cn",
)
REGIONAL = re.compile(r"([a-z0-9]+)\.api\.cognitive\.(?:microsoft\.com|azure\.cn|azure\.us)")
KEY_HEADERS = ("api-key", "Ocp-Apim-Subscription-Key", "Training-Key", "Prediction-Key")


@dataclass(frozen=True)
class Route:
    """One call: its public name, where it is, for which kinds, and what it answers."""

    name: str
    method: str
    path: re.Pattern[str]
    kinds: frozenset[str]
    answer: Callable[[Account, Request], Response]
    versioned: bool


def _models(account: Account, request: Request) -> Response:
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
    return _json({"data": [model], "object": "list"})


def _models_v1(account: Account, request: Request) -> Response:
    model = {"id": "demo-model", "object": "model", "created": 1700000000, "owned_by": "system"}
    return _json({"object": "list", "data": [model]})


def _chat(account: Account, request: Request) -> Response:
    """A completion that repeats what was said last."""
    try:
        said = json.loads(request.body or b"{}")["messages"][-1]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return _error(400, "BadRequest", "'messages' is a required property")
    message = {"role": "assistant", "content": f"You said: {said}"}
    tokens = len(str(said).split())
    return _json(
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


def _token(account: Account, request: Request) -> Response:
    claims = json.dumps({"exp": 600, "region": account.location}).encode()
    parts = (b'{"alg":"HS256"}', claims, b"emulated")
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    headers = Headers({"Content-Type": "application/jwt; charset=us-ascii"})
    return Response(200, headers, text.encode())


def _list(member: str) -> Callable[[Account, Request], Response]:
    return lambda account, request: _json({member: []})


def _info(account: Account, request: Request) -> Response:
    return _json({"customDocumentModels": {"count": 0, "limit": 500}})


def _array(account: Account, request: Request) -> Response:
    return _json([])


_OPENAI = frozenset({"openai", "aiservices"})
_MULTI = frozenset({"cognitiveservices", "aiservices"})
_TOKENS = _MULTI | {"speechservices", "texttranslation"}


def _route(
    name: str,
    path: str,
    kinds: frozenset[str],
    answer: Callable[[Account, Request], Response],
    method: str = "GET",
) -> Route:
    """``?`` at the end of a path says that the call needs an api-version."""
    pattern = re.compile(path.removesuffix("?") + "/?", re.I)
    return Route(name, method, pattern, kinds, answer, path.endswith("?"))


_CHAT = r"/openai/deployments/[^/]+/chat/completions?"
_PROJECTS = r"/language/authoring/analyze-text/projects?"
ROUTES = (
    _route("openai_models", r"/openai/models?", _OPENAI, _models),
    _route("openai_v1_models", r"/openai/v1/models", _OPENAI, _models_v1),
    _route("chat", _CHAT, _OPENAI, _chat, "POST"),
    _route("chat_v1", r"/openai/v1/chat/completions", _OPENAI, _chat, "POST"),
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


@dataclass
class Inference:
    """Finds the account by host, or on a regional host by the key."""

    accounts: Accounts

    def route(self, request: Request) -> tuple[str, Callable[[], Response]] | None:
        host = request.host
        label, _, suffix = host.partition(".")
        regional = REGIONAL.fullmatch(host)
        if suffix not in SUFFIXES and not regional:
            return None
        path = request.path
        found = [r for r in ROUTES if r.method == request.method and r.path.fullmatch(path)]
        name = found[0].name if found else "unknown"
        if regional:
            return f"inference.{name}", lambda: self._regional(request, found, regional[1])
        return f"inference.{name}", lambda: self._named(request, found, label)

    def _named(self, request: Request, found: list[Route], label: str) -> Response:
        account = next(
            (
                a
                for a in self.accounts.by_id.values()
                if a.custom_domain and a.name.lower() == label
            ),
            None,
        )
        if account is None:
            return _error(404, "404", "Resource not found")
        return self._answer(request, found, account)

    def _regional(self, request: Request, found: list[Route], region: str) -> Response:
        account = self.accounts.accepted(_key(request))
        if account is None or account.location.lower() != region:
            return _wrong_key()
        return self._answer(request, found, account)

    def _answer(self, request: Request, found: list[Route], account: Account) -> Response:
        """The order in which the service looks: network, kind of authentication, key, path."""
        refusal = _network(account)
        if refusal:
            return refusal
        key = _key(request)
        if account.disable_local_auth and key:
            text = "Key based authentication is disabled for this resource."
            return _error(403, "AuthenticationTypeDisabled", text)
        if self.accounts.accepted(key) is not account:
            return _wrong_key()
        if account.rate_limited:
            text = "Requests have exceeded call rate limit. Please retry after 6 seconds."
            headers = {"Retry-After": "6", "x-ratelimit-remaining-requests": "0"}
            return _error(429, "429", text, headers)
        route = next((r for r in found if account.kind.lower() in r.kinds), None)
        if route is None or (route.versioned and "api-version" not in request.query):
            return _error(404, "404", "Resource not found")
        return route.answer(account, request)


def _key(request: Request) -> str:
    for name in KEY_HEADERS:
        if request.headers.get(name):
            return str(request.headers[name])
    return request.query.get("subscription-key", "")


def _network(account: Account) -> Response | None:
    if not account.public_network:
        return _error(403, "403", "Public access is disabled. Please configure private endpoint.")
    if account.default_action.lower() == "deny":
        return _error(403, "403", "Access denied due to Virtual Network/Firewall rules.")
    return None


def _wrong_key() -> Response:
    text = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource."
    )
    return _error(401, "401", text)


def _json(body: object) -> Response:
    return Response.of_json(200, body, {"apim-request-id": str(uuid.uuid4())})


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    body = {"error": {"code": code, "message": message}}
    return Response.of_json(status, body, {"apim-request-id": str(uuid.uuid4()), **(headers or {})})
