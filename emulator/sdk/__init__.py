"""The emulator for the SDK clients of this process, in real or in virtual time.

Start with ``transport.py``. Imports from ``emulator.azure`` and the layers below it.
"""
