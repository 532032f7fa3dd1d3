"""Views: pure functions that turn records, listings and actions into JSON.

May import ``domain``, ``decisions`` and the value classes of ``engine`` and ``ports``. Start
reading at ``fleet.py``.
"""
