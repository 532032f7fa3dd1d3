"""Deliberate faults of the service, each of which the simulation must find.

Each mutant removes a safeguard. Where a second safeguard has the same effect, it removes both.
"""
