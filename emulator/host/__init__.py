"""A small Azure Functions host for environments without Core Tools.

Loads a ``function_app.py`` with azure-functions' own metadata and converters, and runs its HTTP,
Event Grid, timer and queue triggers: ``python -m emulator.host``. Start with ``host.py``. Imports
nothing else of the emulator.
"""

from .host import Host, Keys

__all__ = ["Host", "Keys"]
