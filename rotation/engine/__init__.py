"""Reconciles one account: gathers facts, stores records, performs actions.

It imports ``decisions``, ``ports``, ``domain`` and ``runtime``, and no adapter. Start reading at
``reconciler.py``.
"""
