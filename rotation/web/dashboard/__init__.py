"""The page for people: one answer, nothing loaded from elsewhere, nothing to build.

``page.html`` is the skeleton; the styles and scripts beside it are put into it here. All scripts
are one module, so a name is known to every file. The policy lets exactly these texts run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

__all__ = ["page"]

_HERE = Path(__file__).parent

_STYLES = ("base.css", "fleet.css", "panel.css", "dialog.css")

# From what knows nothing to what knows all; ``start.js`` sets it going.
_SCRIPTS = (
    "dom.js",
    "time.js",
    "api.js",
    "fleet.js",
    "grid.js",
    "summary.js",
    "timeline.js",
    "course.js",
    "panel.js",
    "dialog.js",
    "requests.js",
    "start.js",
)


@cache
def page() -> tuple[str, str]:
    """The HTML, and the Content-Security-Policy that it is to be served with."""
    style, script = _joined(_STYLES), _joined(_SCRIPTS)
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    return html.replace("{{style}}", style).replace("{{script}}", script), _policy(style, script)


def _joined(names: tuple[str, ...]) -> str:
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
    """CSP Level 3, "hash-source": the digest of the element's text, as it is served."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
