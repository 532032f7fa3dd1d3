"""The emulated services, each a package that knows its own protocol.

Start with ``router.py``, which finds the service for a request and applies faults. A service has
``route(request)``, which returns the operation's public name and a callable, or None if the host
is not its own. Imports from ``emulator.core`` only.
"""
