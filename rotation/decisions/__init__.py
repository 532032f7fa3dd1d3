"""Decides the next action for an account from its facts. Pure: no I/O and no clock.

It imports only ``domain``. Start reading at ``chain.py``, which lists the checks in order.
"""
