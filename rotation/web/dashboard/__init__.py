"""The dashboard: one HTML page without a build step, which loads nothing from other sites.

``page`` inserts the styles and scripts beside it into ``page.html``. All scripts form one
JavaScript module, so every file sees the names of the others. The Content-Security-Policy allows
exactly these texts. The page uses nothing but the HTTP API.

Imports only the standard library. Start reading at ``page.html`` and ``start.js``.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

__all__ = ["page"]

_HERE = Path(__file__).parent

_STYLES = ("base.css", "fleet.css", "activity.css", "panel.css", "dialog.css")

# In the order of their dependencies; ``start.js`` starts the page.
_SCRIPTS = (
    "dom.js",
    "time.js",
    "api.js",
    "links.js",
    "csv.js",
    "first.js",
    "fleet.js",
    "grid.js",
    "summary.js",
    "timeline.js",
    "operation.js",
    "activity.js",
    "calendar.js",
    "panel.js",
    "dialog.js",
    "emergency.js",
    "batch.js",
    "requests.js",
    "several.js",
    "selection.js",
    "holding.js",
    "start.js",
)


@cache
def page() -> tuple[str, str]:
    """Return the HTML and the Content-Security-Policy to serve with it."""
    style, script = _join(_STYLES), _join(_SCRIPTS)
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    return html.replace("{{style}}", style).replace("{{script}}", script), _policy(style, script)


def _join(names: tuple[str, ...]) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    allowed = {
        "default-src": "'none'",
        "script-src": _source(script),
        "style-src": _source(style),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


def _source(text: str) -> str:
    """Return a CSP Level 3 hash-source: the digest of the element's text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
