"""The operators' HTTP API and dashboard. Knows nothing of Azure Functions.

Read ``routes`` first: one table of what is served and who may. ``serve`` is the door that every
call goes through; ``api`` answers; ``principal`` finds out who asks; ``answers`` are what comes
out.
"""

from __future__ import annotations

from .dispatch import admit, serve
from .requests import Request
from .responses import Answer
from .routes import ROUTES, Route

__all__ = ["ROUTES", "Answer", "Request", "Route", "admit", "serve"]
