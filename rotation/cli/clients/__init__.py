"""Clients that a command can use: the API over HTTP, the API in process, or Azure itself.

May import ``bootstrap``, ``web`` and the packages below them, but no command. Start reading at
``protocol``.
"""
