"""Counts the calls that the service makes, and measures an idle sweep of a large fleet.

The calls are counted at the wire: the real SDK clients speak to the emulated Azure in virtual time,
so the counts are exact and the same on every machine.
"""
