"""Log Analytics, for the vaults' audit logs only.

Start with ``service.py``; ``tables.py`` has the columns. Imports from ``keyvault`` and
``emulator.core``.
"""
