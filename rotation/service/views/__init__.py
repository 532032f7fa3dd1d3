"""Views: pure functions that turn records, listings and actions into replies.

May import ``replies``, ``domain``, ``decisions`` and the value classes of ``engine`` and ``ops``.
Start reading at ``fleet.py``.
"""
