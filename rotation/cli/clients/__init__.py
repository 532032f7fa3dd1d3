"""Clients that a command can use: the API over HTTP, the API in process, or Azure itself.

Imports ``bootstrap``, ``web`` and what is below them, but no command. Start reading at
``protocol``.
"""
