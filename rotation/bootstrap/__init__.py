"""Builds the service: the only package that constructs Azure clients.

``process`` holds the process's one service, as the function app uses it. ``assembly`` builds a
service from settings, ``clients`` the clients that it needs, and ``tools`` those of operators that
need no service. SDKs are imported inside functions, so that a process loads only those it uses
and a cold start stays short.

May import everything but ``cli``. Start reading at ``assembly.py``.
"""
