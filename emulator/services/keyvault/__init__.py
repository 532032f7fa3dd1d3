"""Key Vault's secrets data plane: state, rules, and the HTTP API.

Start with ``service.py`` (a request's way through the checks) and ``operations.py`` (the API's
operations); ``vault.py`` has the state and its rules. Imports from ``eventgrid`` and
``emulator.core``.
"""
