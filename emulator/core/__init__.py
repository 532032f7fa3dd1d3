"""What every emulated service needs: requests and responses, time, identity, faults and limits.

Start with ``wire.py`` and ``clock.py``. Imports nothing else of the emulator.
"""
