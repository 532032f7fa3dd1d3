"""The emulator for other processes: an HTTPS proxy, the control API, and event delivery.

Start with ``server.py``. Imports from ``emulator.seed`` and the layers below it.
"""
