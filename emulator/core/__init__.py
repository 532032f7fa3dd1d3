"""The base of every emulated service: requests, responses, time, identity, faults, rate limits.

Start with ``wire.py`` and ``clock.py``. Imports nothing else of the emulator.
"""
