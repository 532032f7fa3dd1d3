"""Storage accounts: the blobs and queues that the Functions host and the journal use.

Callers sign in with Entra ID; shared keys and SAS are refused. Start with ``service.py``. Imports
from ``emulator.core`` only.
"""
