"""The data plane of Azure AI accounts: calls that a key authenticates.

Start with ``service.py``; ``routes.py`` lists the calls. Imports from ``accounts`` and
``emulator.core``.
"""
