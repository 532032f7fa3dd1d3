"""Calls the HTTP API on the whole product, as the host does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rotation import web
from rotation.web.authentication import AuthMethods

from .product import Product


class Api:
    """Calls the API as the host does; every answer goes to a file, to be searched for keys."""

    def __init__(self, product: Product, file: Path) -> None:
        self.product, self._file = product, file

    async def call(self, name: str, **more: Any) -> tuple[int, Any]:
        """One route by its name; ``more`` are members of the request."""
        route = next(route for route in web.ROUTES if route.name == name)
        given: dict[str, Any] = {"method": route.method, "url": "https://here/api", "headers": {}}
        answer = await web.serve(
            route,
            web.HttpRequest(**given | more),
            AuthMethods(False, True),
            lambda: self.product.service,
        )
        with self._file.open("a") as file:
            file.write(f"{answer.status} {dict(answer.headers)} {answer.body}\n")
        return answer.status, json.loads(answer.body)

    async def post(self, *, key: str = "", prefer: str = "", **fields: Any) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key, "Prefer": prefer}
        return await self.call(
            "request_rotation",
            body=json.dumps(fields).encode(),
            headers={name: value for name, value in headers.items() if value},
        )

    async def get(self, operation: str) -> tuple[int, Any]:
        return await self.call("get_rotation", params={"id": operation})

    async def answer(self, operation: str, what: str, **fields: Any) -> tuple[int, Any]:
        body = json.dumps(fields).encode()
        params = {"id": operation, "answer": what}
        return await self.call("answer_rotation", params=params, body=body)
