"""Checks the prerequisites of a rotation before anything irreversible is attempted.

Uses Azure's permissions API and harmless reads only. Start reading at ``doctor``; ``findings``
says what a check returns.
"""
