"""Protection against cross-site request forgery (CSRF)."""

from __future__ import annotations

from urllib.parse import urlsplit

from .requests import HttpRequest

CSRF_HEADER = "X-Rotation-Request"


def is_browser(request: HttpRequest) -> bool:
    """Return whether a browser sent the request: a page cannot suppress all of these headers."""
    return any(request.header(name) for name in ("Origin", "Sec-Fetch-Site", "Cookie"))


def passes_csrf_check(request: HttpRequest) -> bool:
    """Return whether the request has what no cross-site page can send: our header and origin."""
    origin, site = request.header("Origin"), request.header("Sec-Fetch-Site")
    host = request.header("X-Forwarded-Host") or request.header("Host") or _host(request.url)
    return (
        bool(request.header(CSRF_HEADER))
        and site in ("", "same-origin")
        and (not origin or _host(origin) == host.lower())
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
