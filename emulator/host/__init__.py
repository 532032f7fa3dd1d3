"""A small Azure Functions host, for where Core Tools is missing.

Loads a ``function_app.py`` through azure-functions' own metadata and converters, and runs its HTTP,
Event Grid, timer and queue triggers: ``python -m emulator.host``.
"""

from .host import Host, Keys

__all__ = ["Host", "Keys"]
