"""The document: the routes, described by the operations, with the schemas of their bodies."""

from __future__ import annotations

from typing import Any

from rotation.domain.access import Role
from rotation.web.bodies import ProblemReply
from rotation.web.routes import ROUTES, Route

from .operations import OPERATIONS, Operation, Reply
from .schemas import components, reference

_PROBLEMS = ("400", "401", "403", "404", "409", "413", "500", "503")

_DESCRIPTION = (
    "View and control the rotation of keys. No reply ever contains a key. Every reply has the "
    "header X-Request-Id. Errors are problem details (RFC 9457) with a remedy. A browser request "
    "that changes state needs the header X-Rotation-Request and a same-origin Origin."
)

_SECURITY = {
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "description": f"App Service authentication with Entra ID; app roles {', '.join(Role)}.",
    },
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "Only if ROTATION_FUNCTION_KEYS is on.",
    },
}


def build() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Azure AI key rotation", "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SECURITY],
        "paths": _paths(),
        "components": {
            "schemas": components(_kinds()),
            "responses": {"Problem": _problem()},
            "securitySchemes": _SECURITY,
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        operation = _operation(route, OPERATIONS[route.name])
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = operation
    return paths


def _operation(route: Route, described: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": route.name, "summary": described.summary}
    if route.role is None:
        found["security"] = []
    else:
        found["description"] = f"Needs the app role {route.role}{described.role_note}."
    if described.parameters:
        found["parameters"] = [parameter.to_json() for parameter in described.parameters]
    if described.body:
        found["requestBody"] = {"required": True, "content": _json((described.body,))}
    return found | {"responses": _responses(route, described)}


def _responses(route: Route, described: Operation) -> dict[str, Any]:
    problems = ("500",) if route.role is None else _PROBLEMS
    if route.name == "request_rotation":
        problems = (*problems, "422")  # an Idempotency-Key of another request
    if route.name == "identify_key":
        problems = (*problems, "429")
    refused = {status: {"$ref": "#/components/responses/Problem"} for status in problems}
    return refused | {
        str(status): _response(status, reply, described)
        for status, reply in described.replies.items()
    }


def _response(status: int, reply: Reply, described: Operation) -> dict[str, Any]:
    content = _json(reply.kinds) if reply.kinds else dict(described.media)
    found = {"description": reply.description, "content": content}
    if status == 202:
        found["headers"] = {"Location": {"schema": {"type": "string"}}}
    return found


def _json(kinds: tuple[type, ...]) -> dict[str, Any]:
    references = [reference(kind) for kind in kinds]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"application/json": {"schema": schema}}


def _problem() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(ProblemReply)}}
    return {"description": "The error and its remedy.", "content": content}


def _kinds() -> tuple[type, ...]:
    bodies = [operation.body for operation in OPERATIONS.values() if operation.body]
    replies = (r for operation in OPERATIONS.values() for r in operation.replies.values())
    found = [*bodies, *(kind for reply in replies for kind in reply.kinds), ProblemReply]
    return tuple(dict.fromkeys(found))
