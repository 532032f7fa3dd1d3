"""The OpenAPI document is generated, and it keeps its promises to clients."""

from __future__ import annotations

import json
from pathlib import Path

from rotation.web.routes import ROUTES
from scripts.openapi.__main__ import DOCUMENT, text
from scripts.openapi.document import build
from scripts.openapi.operations import OPERATIONS

from .contract import contract

CONTRACT = Path(__file__).parent / "contract.json"


def test_the_committed_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == text(), "run: python -m scripts.openapi"


def test_the_generated_document_keeps_the_contract() -> None:
    """A member that is added to the API is added to contract.json by hand; nothing is removed."""
    assert contract(build()) == contract(json.loads(CONTRACT.read_text()))


def test_every_route_is_described_once() -> None:
    assert set(OPERATIONS) == {route.name for route in ROUTES}
