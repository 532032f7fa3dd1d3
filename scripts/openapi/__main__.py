"""Write the OpenAPI document: ``python -m scripts.openapi``."""

from __future__ import annotations

import json
from pathlib import Path

from .document import build

DOCUMENT = Path(__file__).parents[2] / "rotation/web/openapi.json"


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(build(), indent=1) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text())
